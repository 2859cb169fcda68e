package topologytest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// joinGlobal joins a stream with a global table as the Java tests do. Where those have two joins, the cases expect the
// results of the second, whose function sees the keys.
func (c *semanticsCase) joinGlobal(b *topology.Builder) {
	topologies := strings.Split(c.Topology, " ; ")
	last := topologies[len(topologies)-1]
	stream := topology.Records(topology.From(b, textTopic("left")))
	table := topology.GlobalTableFrom(b, textTopic("right"))
	key := func(r processor.Record[string, string]) string { return globalKey(last, r.Value) }
	result := func(l processor.Record[string, string], r string) string {
		switch {
		case strings.Contains(last, "readOnlyKey"):
			return l.Key + "|" + l.Value + "|" + r
		case strings.Contains(last, "mappedKey"):
			return key(l) + "|" + l.Key + "|" + l.Value + "|" + r
		}
		return l.Value + separator.FindStringSubmatch(last)[1] + r
	}
	present := stream.FilterNot(func(r processor.Record[string, string]) bool { return r.Tombstone }) // Records has made them values
	if strings.HasSuffix(c.Join, "left") {
		topology.LeftJoinGlobal(present, table, key, func(l processor.Record[string, string], r string, ok bool) string {
			return result(l, textOr(r, ok))
		}).To(semanticsOut)
		return
	}
	topology.JoinGlobal(present, table, key, result).To(semanticsOut)
}

// globalKey returns the key in the global table for a value of the stream. No table has the empty key, which stands for
// Java's null.
func globalKey(topology, value string) string {
	switch {
	case strings.Contains(topology, "(key,value)->value,"):
		return value
	case strings.Contains(topology, "(key,value)->null"):
		return ""
	}
	_, key, _ := strings.Cut(value, ",")
	return key
}

// compareLast compares the last record of each key.
func (c *semanticsCase) compareLast(t *testing.T, got [][]semanticsRow) {
	t.Helper()
	last := map[string]semanticsRow{}
	if err := json.Unmarshal(c.Last, &last); err != nil {
		t.Fatal(err)
	}
	var want []semanticsRow
	for key, row := range last {
		row.Key = key
		want = append(want, row)
	}
	rows := lastPerKey(slices.Concat(got...))
	if want = lastPerKey(want); !slices.EqualFunc(rows, want, semanticsRow.meets) {
		t.Errorf("the last records are\n%s\nwant\n%s", show(rows), show(want))
	}
}
