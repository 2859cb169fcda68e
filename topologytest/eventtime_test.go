package topologytest_test

import (
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestEventTimes: the event time comes from the value, the whole record or the wall clock. An invalid one fails, or
// becomes that of the partition, also after a restart.
func TestEventTimes(t *testing.T) {
	fixes := func(name string) topology.Topic[string, fix] {
		return topology.NewTopic(name, codec.String, codec.JSON[fix]())
	}
	b := topology.NewBuilder("horas")
	for _, in := range []topology.Topic[string, fix]{
		fixes("fixos").TimeFrom(fix.time),
		fixes("registros").TimeFromRecord(func(r processor.Record[string, fix]) time.Time {
			if r.Tombstone || r.Key == "enviado" {
				return r.Time()
			}
			return r.Value.time()
		}),
		fixes("chegadas").TimeFrom(fix.time).TimeFromWallClock(),
		fixes("remendados").TimeFrom(fix.time).MaxAhead(time.Hour).OrPartitionTime(),
	} {
		topology.From(b, in).To(fixes("saida"))
	}
	topologytest.Run(t, "testdata/event-times", built(t, b), topologytest.Config{
		Policies: processor.Policies{Decode: processor.Policy{Action: processor.Skip}},
	})
}
