package topologytest_test

import (
	"testing"

	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// benchmark measures a topology in the production task, on stores in memory. send sends the record with number n.
func benchmark(b *testing.B, builder *topology.Builder, send func(d *topologytest.Driver, n int64) error) {
	b.Helper()
	top, err := builder.Build()
	if err != nil {
		b.Fatal(err)
	}
	d, err := topologytest.New(top, topologytest.Config{CommitEvery: 1000})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		if err := send(d, n); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
