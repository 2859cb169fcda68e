package runner_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// TestEndOfAStreamThatFeedsItself: StopAtEnd waits until a sub-topology has processed the records that it has written to its
// own repartition topic.
func TestEndOfAStreamThatFeedsItself(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	const partitions = 3
	c.create(c.lines.Name(), partitions)
	c.create(c.counts.Name(), partitions)
	values := make([]string, 300)
	want := map[string]int64{}
	for i := range values {
		values[i] = string(rune('a' + i%7))
		want[values[i]]++
	}
	c.send(c.lines.Name(), partitions, values...)

	b := topology.NewBuilder(c.app)
	itself := func(v string) string { return v }
	once := topology.KeyBy(topology.From(b, c.lines), "once", itself)
	twice := topology.KeyBy(once, "twice", itself)
	topology.Count(once.Merge(twice), "counts").To(c.counts)
	if err := runner.Run(t.Context(), c.build(b), c.config()); err != nil {
		t.Fatal(err)
	}
	for word := range want {
		want[word] *= 2
	}
	got, _ := c.final()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}
