package oracle

import (
	"fmt"
	"strings"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// flow is what a step has made: a stream, of a branch also its rest, or a table.
type flow[K any] struct {
	keys         codec.Codec[K]
	stream, rest *topology.Stream[K, string]
	table        *topology.Table[K, string]
	global       *topology.GlobalTable[K, string]
}

func (f *flow[K]) with(s *topology.Stream[K, string]) *flow[K] {
	return &flow[K]{keys: f.keys, stream: s}
}

func (f *flow[K]) withTable(t *topology.Table[K, string]) *flow[K] {
	return &flow[K]{keys: f.keys, table: t}
}

func texts(name string) topology.Topic[string, string] {
	return topology.NewTopic(name, codec.String, codec.String)
}

// build returns the topology of a case.
func (c testCase) build() (*topology.Topology, error) {
	b := topology.NewBuilder("oracle")
	var made []any // *flow of the keys of each step
	for _, s := range c.Steps {
		switch {
		case s.Op == "stream":
			made = append(made, &flow[string]{keys: codec.String, stream: topology.From(b, texts(s.Name))})
		case s.Op == "table":
			rows := topology.TableFrom(b, texts(s.Name))
			if s.History > 0 {
				rows = topology.Versioned(rows, milliseconds(s.History))
			}
			made = append(made, &flow[string]{keys: codec.String, table: rows})
		case s.Op == "global-table":
			made = append(made, &flow[string]{keys: codec.String, global: topology.GlobalTableFrom(b, texts(s.Name))})
		default:
			switch in := made[s.In[0]].(type) {
			case *flow[string]:
				switch {
				case s.Op == "cogroup":
					made = append(made, cogroup(s, made))
					continue
				case s.Windows != nil:
					made = append(made, windowed(s, in.stream))
					continue
				}
				made = append(made, next(s, in, made))
			case *flow[codec.WindowKey[string]]:
				made = append(made, next(s, in, made))
			}
		}
	}
	return b.Build()
}

// next adds a step.
func next[K any](s step, in *flow[K], made []any) any {
	contains := func(v string) bool { return strings.Contains(v, s.Text) }
	appended := func(v string) string { return v + s.Text }
	second := func() *flow[K] { return made[s.In[1]].(*flow[K]) }
	switch s.Op {
	case "filter":
		return in.with(in.stream.Filter(contains))
	case "filter-not":
		return in.with(in.stream.FilterNot(contains))
	case "map":
		return in.with(topology.Map(in.stream, appended))
	case "flat-map":
		return in.with(topology.FlatMap(in.stream, letters))
	case "branch":
		matched, rest := in.stream.Branch(contains)
		return &flow[K]{keys: in.keys, stream: matched, rest: rest}
	case "rest":
		return in.with(in.rest)
	case "merge":
		return in.with(in.stream.Merge(second().stream))
	case "key-by":
		return &flow[string]{keys: codec.String, stream: topology.KeyBy(in.stream, s.Name, first)}
	case "count", "reduce", "aggregate":
		return in.withTable(aggregate(s, in.stream))
	case "filter-table":
		return in.withTable(in.table.Filter(contains))
	case "filter-not-table":
		return in.withTable(in.table.FilterNot(contains))
	case "map-table":
		return in.withTable(topology.MapTable(in.table, appended))
	case "to-stream":
		return in.with(in.table.ToStream())
	case "to-table":
		return in.withTable(topology.ToTable(in.stream, s.Name))
	case "count-table-by", "reduce-table-by", "aggregate-table-by":
		return &flow[string]{keys: codec.String, table: aggregateTable(s, in.table)}
	case "join-tables-by", "left-join-tables-by":
		return in.withTable(joinTablesBy(s, in.table, made[s.In[1]].(*flow[string]).table))
	case "join-global", "left-join-global":
		return in.with(joinGlobal(s, in.stream, made[s.In[1]].(*flow[string]).global))
	case "join", "left-join":
		return in.with(joinTable(s, in.stream, second().table))
	case "join-streams", "left-join-streams", "outer-join-streams":
		return in.with(joinStreams(s, in.stream, second().stream))
	case "join-tables", "left-join-tables", "outer-join-tables":
		return in.withTable(joinTables(s, in.table, second().table))
	case "to":
		in.stream.To(topology.NewTopic(s.Name, in.keys, codec.String))
		return in
	}
	panic("no such step: " + s.Op)
}

func aggregate[K any](s step, in *topology.Stream[K, string]) *topology.Table[K, string] {
	switch s.Op {
	case "count":
		return counted(s, in)
	case "reduce":
		return retained(s, topology.Reduce(in, s.Name, func(a, b string) string { return a + "," + b }))
	}
	return summed(s, in, func(sum, v string) string { return sum + v })
}

func counted[K, V any](s step, in *topology.Stream[K, V]) *topology.Table[K, string] {
	return topology.MapTable(retained(s, topology.Count(in, s.Name)), func(n int64) string { return fmt.Sprint(n) })
}

// retained sets the retention of a windowed table.
func retained[K, V any](s step, t *topology.Table[K, V]) *topology.Table[K, V] {
	if s.Retention == 0 {
		return t
	}
	return t.Retention(milliseconds(s.Retention))
}

func summed[K, V any](s step, in *topology.Stream[K, V], add func(sum string, v V) string) *topology.Table[K, string] {
	return settled(s, topology.Aggregate(in, s.Name, add))
}

// settled sets the rules of a table of sums.
func settled[K any](s step, sums *topology.Table[K, string]) *topology.Table[K, string] {
	sums.Initially(func() string { return s.Text })
	if s.Delete != "" {
		sums.DeleteWhen(func(sum string) bool { return strings.Contains(sum, s.Delete) })
	}
	if s.Windows != nil && s.Windows.Kind == "sessions" {
		sums.Merging(func(a, b string) string { return a + "|" + b })
	}
	return retained(s, sums)
}

// cogroup aggregates the streams of several steps into one table, each by a function of its own.
func cogroup(s step, made []any) any {
	add := func(i int) func(sum, v string) string {
		return func(sum, v string) string { return fmt.Sprint(sum, i, v) }
	}
	if s.Windows == nil {
		var parts []topology.Part[string, string]
		for i, in := range s.In {
			parts = append(parts, topology.Adding(made[in].(*flow[string]).stream, add(i)))
		}
		return &flow[string]{keys: codec.String, table: settled(s, topology.Cogroup(s.Name, parts[0], parts[1:]...))}
	}
	of := s.Windows.windows()
	var parts []topology.Part[codec.WindowKey[string], string]
	for i, in := range s.In {
		parts = append(parts, topology.Adding(topology.Window(made[in].(*flow[string]).stream, of), add(i)))
	}
	return &flow[codec.WindowKey[string]]{keys: topology.WindowCodec(of, codec.String), table: settled(s, topology.Cogroup(s.Name, parts[0], parts[1:]...))}
}

// windowed adds an aggregate over windows.
func windowed(s step, in *topology.Stream[string, string]) *flow[codec.WindowKey[string]] {
	of := s.Windows.windows()
	out := &flow[codec.WindowKey[string]]{keys: topology.WindowCodec(of, codec.String)}
	switch {
	case !s.CountNulls:
		out.table = aggregate(s, topology.Window(in, of))
	case s.Op == "count":
		out.table = counted(s, topology.Window(topology.Records(in), of))
	default:
		out.table = summed(s, topology.Window(topology.Records(in), of), func(sum string, r processor.Record[string, string]) string {
			if r.Tombstone {
				return sum + "0"
			}
			return sum + r.Value
		})
	}
	if s.Final {
		out.table = topology.Final(out.table)
	}
	return out
}

func (w *windows) windows() topology.Windows {
	size, grace := milliseconds(w.Size), milliseconds(w.Grace)
	switch w.Kind {
	case "sliding":
		return topology.Sliding(size).Grace(grace)
	case "sessions":
		return topology.Sessions(size).Grace(grace)
	case "unlimited":
		return topology.Unlimited(time.UnixMilli(w.Size))
	case "hopping":
		return topology.Hopping(size, milliseconds(w.Advance)).Grace(grace)
	}
	return topology.Tumbling(size).Grace(grace)
}

func (i *interval) interval() topology.Interval {
	return topology.Within(0).Before(milliseconds(i.Before)).After(milliseconds(i.After)).Grace(milliseconds(i.Grace))
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// The joins combine the values of both sides; a missing one is "_".

func both(l, r string) string { return l + "&" + r }

func leftOf(l, r string, ok bool) string { return outer(l, true, r, ok) }

func outer(l string, hasL bool, r string, hasR bool) string {
	if !hasL {
		l = "_"
	}
	if !hasR {
		r = "_"
	}
	return both(l, r)
}

func joinTable[K any](s step, left *topology.Stream[K, string], right *topology.Table[K, string]) *topology.Stream[K, string] {
	if s.Hold > 0 {
		left = topology.Reorder(left, s.Name, milliseconds(s.Hold))
	}
	if s.Op == "join" {
		return topology.Join(left, right, both)
	}
	return topology.LeftJoin(left, right, leftOf)
}

func joinStreams[K any](s step, left, right *topology.Stream[K, string]) *topology.Stream[K, string] {
	switch within := s.Interval.interval(); s.Op {
	case "join-streams":
		return topology.JoinStreams(left, right, s.Name, within, both)
	case "left-join-streams":
		return topology.LeftJoinStreams(left, right, s.Name, within, leftOf)
	default:
		return topology.OuterJoinStreams(left, right, s.Name, within, outer)
	}
}

func joinTables[K any](s step, left, right *topology.Table[K, string]) *topology.Table[K, string] {
	switch s.Op {
	case "join-tables":
		return topology.JoinTables(left, right, both)
	case "left-join-tables":
		return topology.LeftJoinTables(left, right, leftOf)
	default:
		return topology.OuterJoinTables(left, right, outer)
	}
}

// aggregateTable groups a table by the first letters of its values.
func aggregateTable[K any](s step, in *topology.Table[K, string]) *topology.Table[string, string] {
	plus := func(group, v string) string { return group + "+" + v }
	minus := func(group, v string) string { return group + "-" + v }
	switch s.Op {
	case "count-table-by":
		return topology.MapTable(topology.CountTableBy(in, s.Name, first), func(n int64) string { return fmt.Sprint(n) })
	case "reduce-table-by":
		return topology.ReduceTableBy(in, s.Name, first, plus, minus)
	}
	return topology.AggregateTableBy(in, s.Name, first, plus, minus).Initially(func() string { return s.Text })
}

// joinTablesBy joins by the first letters of the left side. Empty values have no foreign key.
func joinTablesBy[K any](s step, left *topology.Table[K, string], right *topology.Table[string, string]) *topology.Table[K, string] {
	var joined *topology.Table[K, string]
	foreign := func(v string) (string, bool) { return first(v), v != "" }
	if s.Op == "join-tables-by" {
		joined = topology.JoinTablesBy(left, right, s.Name, foreign, both)
	} else {
		joined = topology.LeftJoinTablesBy(left, right, s.Name, foreign, leftOf)
	}
	if s.Stored != "" {
		joined.Stored(s.Stored)
	}
	return joined
}

func joinGlobal[K any](s step, left *topology.Stream[K, string], right *topology.GlobalTable[string, string]) *topology.Stream[K, string] {
	if s.Op == "join-global" {
		return topology.JoinGlobal(left, right, first, both)
	}
	return topology.LeftJoinGlobal(left, right, first, leftOf)
}

// letters returns the first three letters of a value.
func letters(v string) []string { return strings.Split(v[:min(3, len(v))], "") }

func first(v string) string { return v[:min(1, len(v))] }

// runRio returns what Rio emits after each input of a case.
func runRio(c testCase) ([][]output, error) {
	top, err := c.build()
	if err != nil {
		return nil, err
	}
	d, err := topologytest.New(top, topologytest.Config{})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	outputs := make([][]output, len(c.Inputs))
	for i, in := range c.Inputs {
		seen := len(d.Outputs())
		if err := topologytest.Send(d, texts(in.Topic), in.record()); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
		if i%3 == 2 {
			if err := happen(c.Event, d); err != nil {
				return nil, fmt.Errorf("%s after input %d: %w", c.Event, i, err)
			}
		}
		outputs[i] = bySink(c, d.Outputs()[seen:])
	}
	return outputs, nil
}

func happen(event string, d *topologytest.Driver) error {
	switch event {
	case "crash":
		return d.Crash()
	case "restart":
		return d.Restart()
	}
	return nil
}

// bySink returns the records in the output topics, in the order of the sinks. What two sinks get has no common order.
func bySink(c testCase, records []topologytest.Output) []output {
	var sorted []output
	for _, sink := range c.sinks() {
		for _, r := range records {
			if r.Topic != sink {
				continue
			}
			o := output{Topic: sink, Key: r.Key, Value: r.Value, At: r.Timestamp}
			for _, h := range r.Headers {
				o.Headers = append(o.Headers, header(h))
			}
			sorted = append(sorted, o)
		}
	}
	return sorted
}
