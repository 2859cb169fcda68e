package topologytest_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// testSuppress runs a case of the kind suppress.
func (c *semanticsCase) testSuppress(t *testing.T) {
	t.Helper()
	if c.ByOutput == nil {
		c.ByOutput = map[string][][]semanticsRow{"output-suppressed": c.Expected}
	}
	for name, happens := range happenings {
		var got emitted
		key, windowed := c.Inputs[0].Key.(map[string]any)
		switch {
		case windowed:
			got = suppressed(t, c, happens, c.windowedKeys(key), windowedKeyOf)
		default:
			got = suppressed(t, c, happens, codec.String, func(key any) codec.WindowKey[string] { return codec.WindowKey[string]{Key: text(key)} })
		}
		for output, expected := range c.ByOutput {
			c.compareRows(t, output, got[output], expected)
		}
		if t.Failed() {
			t.Fatalf("with %s", name)
		}
	}
}

// happenings are what may happen between two records.
var happenings = map[string]func(*topologytest.Driver) error{
	"nothing": func(*topologytest.Driver) error { return nil },
	"crashes": (*topologytest.Driver).Crash, "restarts": (*topologytest.Driver).Restart,
}

// windowedKeys returns the codec of keys with windows like those of a key.
func (c *semanticsCase) windowedKeys(key map[string]any) codec.Codec[codec.WindowKey[string]] {
	of := windowedKeyOf(key)
	if of.End.Equal(of.Start) {
		return codec.Windowed(codec.String).Sessions()
	}
	return codec.Windowed(codec.String).Size(of.End.Sub(of.Start))
}

// windowedKeyOf returns the key in an input.
func windowedKeyOf(key any) codec.WindowKey[string] {
	fields := key.(map[string]any)
	window := fields["window"].([]any)
	at := func(i int) time.Time { return time.UnixMilli(int64(window[i].(float64))).UTC() }
	return codec.WindowKey[string]{Key: text(fields["key"]), Start: at(0), End: at(1)}
}

var (
	suppressLimit   = regexp.MustCompile(`untilTimeLimit\((\d+)ms`)
	suppressGrace   = regexp.MustCompile(`buildFinalResultsSuppression\((\d+)ms\)`)
	suppressRecords = regexp.MustCompile(`maxRecords\((\d+)\)`)
	suppressBytes   = regexp.MustCompile(`maxBytes\((\d+)\)`)
)

// suppression returns the suppression of a case. In Kafka Streams a full buffer emits early unless it is told to stop.
func (c *semanticsCase) suppression() topology.Suppression {
	how := text(c.Suppress)
	number := func(in *regexp.Regexp) (n int64, found bool) {
		match := in.FindStringSubmatch(how)
		if match == nil {
			return 0, false
		}
		n, _ = strconv.ParseInt(match[1], 10, 64)
		return n, true
	}
	s := topology.UntilWindowCloses()
	if limit, found := number(suppressLimit); found {
		s = topology.UntilTimeLimit(milliseconds(min(limit, math.MaxInt64/int64(time.Millisecond))))
	}
	if grace, found := number(suppressGrace); found {
		s = s.Grace(milliseconds(grace))
	}
	if records, found := number(suppressRecords); found {
		s = s.MaxRecords(records).EmitEarlyWhenFull()
	}
	if bytes, found := number(suppressBytes); found {
		if strings.Contains(c.Topology, "groupBy") {
			bytes -= 2 * 60 // the name of the topic counts, and that of Java's repartition topic is longer
		}
		s = s.MaxBytes(bytes).EmitEarlyWhenFull()
	}
	return s
}

// suppressed runs a case whose inputs have keys of type K.
func suppressed[K any](t *testing.T, c *semanticsCase, happens func(*topologytest.Driver) error, keys codec.Codec[K], keyOf func(any) codec.WindowKey[string]) emitted {
	t.Helper()
	topicOf := func(name string) topology.Topic[K, string] { return topology.NewTopic(name, keys, codec.String) }
	b := topology.NewBuilder("semantics")
	open := true // lets rows pass; otherwise they are the old values of later changes
	gate := func(table *topology.Table[K, string]) *topology.Table[K, string] {
		return table.Filter(func(string) bool { return open })
	}
	out := topicOf("output-suppressed")
	switch table := topology.TableFrom(b, topicOf(c.sides()[0])); {
	case strings.HasPrefix(c.Topology, "table(input).groupBy"):
		counts := topology.CountTableBy(table, "counts", func(v string) string { return v })
		counts.To(topology.NewTopic("output-raw", codec.String, codec.Int64))
		topology.Suppress(counts, "suppressed", c.suppression()).To(topology.NewTopic(out.Name(), codec.String, codec.Int64))
	case strings.Contains(c.Topology, ").groupBy("):
		byKey := topology.CountTableBy(topology.Rows(topology.Suppress(table, "suppressed", c.suppression())), "counts", func(r processor.Record[K, string]) K { return r.Key })
		topology.MapTable(byKey, func(n int64) string { return strconv.FormatInt(n, 10) }).To(out)
	case strings.Contains(c.Topology, "outerJoin"):
		left := topology.Suppress(table, "suppressed", c.suppression())
		topology.OuterJoinTables(left, topology.TableFrom(b, topicOf("right")), func(l string, hasL bool, r string, hasR bool) string {
			return fmt.Sprintf("(%s,%s)", textOr(l, hasL), textOr(r, hasR))
		}).To(out)
	default:
		topology.Suppress(gate(table), "suppressed", c.suppression()).To(out)
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
	got := emitted{}
	for i, in := range c.Inputs {
		encoded, key := []byte(nil), keyOf(in.Key)
		if encoded, err = keys.Append(nil, *asKey[K](&key)); err != nil {
			t.Fatal(err)
		}
		send := func(value any) {
			t.Helper()
			k, err := keys.Decode(encoded)
			if err != nil {
				t.Fatal(err)
			}
			r := processor.Record[K, string]{Key: k, Value: text(value), Tombstone: value == nil, Timestamp: *in.Time}
			if err := topologytest.Send(d, topicOf(in.Side), r); err != nil {
				t.Fatal(err)
			}
		}
		change, ok := in.Value.(map[string]any)
		seen := len(d.Outputs())
		switch {
		case !ok:
			send(in.Value)
		case change["old"] == nil && change["new"] == nil:
			send("new") // a Filter drops a change from nothing to nothing; a new row moves the time, too
		default:
			if open = false; change["old"] != nil {
				send(change["old"])
			}
			open = true
			send(change["new"])
		}
		for output := range c.ByOutput {
			got[output] = append(got[output], nil)
			for _, o := range d.Outputs()[seen:] {
				if o.Topic == output {
					got[output][i] = append(got[output][i], suppressedRow(t, o, keys))
				}
			}
		}
		if err := happens(d); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// asKey returns a key with a window as one of type K: with its window, or without.
func asKey[K any](key *codec.WindowKey[string]) *K {
	if with, ok := any(key).(*K); ok {
		return with
	}
	return any(&key.Key).(*K)
}

// suppressedRow is a record in the format of the files.
func suppressedRow[K any](t *testing.T, o topologytest.Output, keys codec.Codec[K]) semanticsRow {
	t.Helper()
	row := semanticsRow{Key: string(o.Key), Time: &o.Timestamp}
	if windows, ok := any(keys).(codec.Codec[codec.WindowKey[string]]); ok {
		key, err := windows.Decode(o.Key)
		if err != nil {
			t.Fatal(err)
		}
		row.Key, row.Window = key.Key, &[2]int64{key.Start.UnixMilli(), key.End.UnixMilli()}
	}
	switch {
	case len(o.Value) == 8 && o.Value[0] == 0: // a count
		n, err := codec.Int64.Decode(o.Value)
		if err != nil {
			t.Fatal(err)
		}
		row.Value = strconv.FormatInt(n, 10)
	case o.Value != nil:
		row.Value = string(o.Value)
	}
	return row
}
