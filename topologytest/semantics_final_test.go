package topologytest_test

import (
	"slices"
	"testing"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// emitsMore maps the cases in which Kafka Streams emits some windows late or never, and Rio emits all at once, to the
// reasons.
var emitsMore = map[string]string{
	"KStreamSlidingWindowAggregateTest.testAggregateRandomInput[emit_on_window_close]": "Kafka Streams loses the results of windows whose rows have expired when the time jumps",
	"KStreamWindowAggregateTest.shouldEmitWithLargeInterval[emit_on_window_close]":     "Kafka Streams emits at most once in an interval of the wall clock",
}

// emit writes a table as the case says: every update, or final windows only. It returns the table that is written.
func (c *semanticsCase) emit(table *topology.Table[codec.WindowKey[string], string], name string) *topology.Table[codec.WindowKey[string], string] {
	if c.Emit == "on_window_close" {
		table = topology.Final(table)
	}
	table.To(c.windowed(name))
	return table
}

// testEmitsMore checks that all expected records are emitted, whenever.
func (c *semanticsCase) testEmitsMore(t *testing.T) {
	t.Helper()
	got := slices.Concat(c.run(t, func(*topologytest.Driver) error { return nil })["out"]...)
	want := slices.Concat(c.Expected...)
	for _, rows := range c.PerStart {
		for _, row := range rows {
			row.Key = c.Inputs[0].Key
			want = append(want, row)
		}
	}
	if len(want) == 0 || len(got) <= len(want) {
		t.Fatalf("%d records, want more than %d", len(got), len(want))
	}
	for _, row := range want {
		if !slices.ContainsFunc(got, func(got semanticsRow) bool { return got.meets(row) }) {
			t.Errorf("%s is not among\n%s", show([]semanticsRow{row}), show(got))
		}
	}
}

// testTimeOverlaps lets records meet the window of the case and another one. Windows of one size that advance by a
// millisecond have all starts. Two windows overlap if a record at the start of one of them is in both.
func (c *semanticsCase) testTimeOverlaps(t *testing.T) {
	t.Helper()
	meets := func(other [2]int64) bool {
		b := topology.NewBuilder("overlap")
		in := topology.From(b, textTopic("in"))
		topics := []topology.Topic[codec.WindowKey[string], int64]{}
		spans := [][2]int64{{c.Window.Start, c.Window.End}, other}
		for i, name := range []string{"this", "other"} {
			windows := topology.Hopping(milliseconds(spans[i][1]-spans[i][0]), milliseconds(1)).Grace(milliseconds(1000))
			topics = append(topics, topology.NewTopic(name, topology.WindowCodec(windows, codec.String), codec.Int64))
			topology.Count(topology.Window(in, windows), name).To(topics[i])
		}
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		d, err := topologytest.New(top, topologytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, at := range []int64{spans[0][0], spans[1][0]} {
			seen := [2]int{}
			for i, topic := range topics {
				seen[i] = len(mustRead(t, d, topic))
			}
			if err := topologytest.Send(d, textTopic("in"), processor.Record[string, string]{Key: "k", Value: "v", Timestamp: at}); err != nil {
				t.Fatal(err)
			}
			both := true
			for i, topic := range topics {
				has := false
				for _, r := range mustRead(t, d, topic)[seen[i]:] {
					has = has || [2]int64{r.Key.Start.UnixMilli(), r.Key.End.UnixMilli()} == spans[i]
				}
				both = both && has
			}
			if both {
				return true
			}
		}
		return false
	}
	for _, other := range c.Overlaps {
		if !meets(other) {
			t.Errorf("%v does not overlap", other)
		}
	}
	for _, other := range c.Apart {
		if meets(other) {
			t.Errorf("%v overlaps", other)
		}
	}
}

// mustRead returns the records of a topic.
func mustRead[K, V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[K, V]) []processor.Record[K, V] {
	t.Helper()
	records, err := topologytest.Read(d, topic)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// sortedLetters returns the letters of a text in order.
func sortedLetters(text string) string {
	letters := []rune(text)
	slices.Sort(letters)
	return string(letters)
}
