package batch

import "encoding/binary"

// The one record of a control batch that ends a transaction, as EndTransactionMarker of Kafka writes it:
//
//	key    int16 version 0, int16 type: 0 abort, 1 commit
//	value  int16 version 0, int32 coordinator epoch
const (
	abortType  = 0
	commitType = 1

	markerKeySize   = 4
	markerValueSize = 6
)

// Marker returns the control batch that ends a producer's transaction. It takes one offset, and has no leader epoch yet
// (-1).
func Marker(offset, timestamp, producerID int64, epoch int16, commit bool, coordinatorEpoch int32) []byte {
	var w Writer
	w.Reset(Header{
		BaseOffset:    offset,
		LeaderEpoch:   -1,
		Attributes:    Transactional | Control,
		ProducerID:    producerID,
		ProducerEpoch: epoch,
		BaseSequence:  -1,
	})
	key := make([]byte, markerKeySize)
	if commit {
		binary.BigEndian.PutUint16(key[2:], commitType)
	}
	value := make([]byte, markerValueSize)
	binary.BigEndian.PutUint32(value[2:], uint32(coordinatorEpoch))
	w.Append(offset, timestamp, key, value, nil)
	return w.Finish(offset)
}

// ReadMarker returns the outcome of the transaction that the batch at the start of b ends. ok is false if the batch is
// not such a marker, or if compaction has emptied it.
func ReadMarker(b []byte) (commit bool, coordinatorEpoch int32, ok bool) {
	var r Reader
	h, err := r.Reset(b)
	if err != nil || !h.Attributes.Control() {
		return false, 0, false
	}
	record, err := r.Next()
	if err != nil || len(record.Key) < markerKeySize || len(record.Value) < markerValueSize {
		return false, 0, false
	}
	// Later versions only add fields.
	if int16(binary.BigEndian.Uint16(record.Key)) < 0 || int16(binary.BigEndian.Uint16(record.Value)) < 0 {
		return false, 0, false
	}
	kind := binary.BigEndian.Uint16(record.Key[2:])
	if kind != abortType && kind != commitType {
		return false, 0, false
	}
	return kind == commitType, int32(binary.BigEndian.Uint32(record.Value[2:])), true
}
