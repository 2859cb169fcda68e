package batch_test

import (
	"testing"

	"github.com/rio-streams/rio/broker/internal/batch"
)

func TestReadMarkerOfJava(t *testing.T) {
	for _, marker := range markersFromJava {
		b := unhex(t, marker.encoded)
		if _, err := batch.Verify(b); err != nil {
			t.Error(err)
		}
		commit, epoch, ok := batch.ReadMarker(b)
		equal(t, []any{commit, epoch, ok}, []any{marker.commit, marker.coordinatorEpoch, true})
	}
}

func TestReadMarkerDeclines(t *testing.T) {
	control := batch.Header{Attributes: batch.Transactional | batch.Control, ProducerID: 1, BaseSequence: -1}
	empty := new(batch.Writer)
	empty.Reset(control)
	value := make([]byte, 6)
	for name, b := range map[string][]byte{
		"nothing":               nil,
		"what a client sent":    write(producer, record{Key: []byte{0, 0, 0, 1}, Value: value}),
		"emptied by compaction": empty.Finish(0),
		"a short key":           write(control, record{Key: []byte{0, 0}, Value: value}),
		"a short value":         write(control, record{Key: []byte{0, 0, 0, 1}, Value: value[:5]}),
		"a leader change":       write(control, record{Key: []byte{0, 0, 0, 2}, Value: value}),
		"a negative version":    write(control, record{Key: []byte{0xff, 0xff, 0, 1}, Value: value}),
	} {
		if _, _, ok := batch.ReadMarker(b); ok {
			t.Errorf("%s is not read as a marker", name)
		}
	}
}
