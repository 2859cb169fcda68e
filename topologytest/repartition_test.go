package topologytest_test

import (
	"testing"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestRepartition moves records by the key that an earlier step may have changed, and by a function. Records without a key are dropped,
// but not before a join that has results for them.
func TestRepartition(t *testing.T) {
	b := topology.NewBuilder("repartition")
	in := topology.From(b, texts("in").Partitions(2))
	moved := topology.Repartition(topology.FromRecords(topology.Records(in)), "moved").Partitions(3)
	moved.To(texts("out"))
	topology.Count(moved, "counts").To(counts)
	last := topology.Repartition(in, "last").Partitions(4).PartitionedBy(func(_ processor.Record[string, string], n int) int { return n - 1 })
	last.To(texts("last"))
	joined := topology.Repartition(topology.Repartition(in, "first"), "second")
	topology.LeftJoin(joined, topology.TableFrom(b, texts("table").Partitions(2)), func(v, w string, ok bool) string { return v + "+" + orNone(w, ok) }).To(texts("joined"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, "testdata/repartition", top, topologytest.Config{})
}
