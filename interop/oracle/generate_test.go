package oracle

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// generator draws a case.
type generator struct {
	t     *rapid.T
	c     testCase
	names int
	unit  int64 // all durations and times are multiples of it, in ms
}

// made is a drawn step and what it makes.
type made struct {
	index   int
	table   bool
	windows *windows // set if the keys have windows
	alone   bool     // a table that cannot be joined: see aloneOps
	history int64    // of a versioned table
	many    bool     // an input may change a row more than once
}

// drawCase draws a case: a chain of steps, some with a second input of its own, and the records of the input topics.
func drawCase(t *rapid.T) testCase {
	g := &generator{t: t}
	// Kafka Streams keeps windows in segments of at least a minute.
	g.unit = rapid.SampledFrom([]int64{1, 1000, 60_000}).Draw(t, "unit")
	head := g.source()
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		head = g.step(head)
	}
	g.sink(head)
	g.inputs()
	g.c.Event = rapid.SampledFrom([]string{"", "", "crash", "restart"}).Draw(t, "event")
	g.c.RocksDB = g.one("rocksdb", 8)
	return g.c
}

// add appends a step with the inputs in. Keys are those of the first.
func (g *generator) add(s step, table bool, in ...made) made {
	for _, m := range in {
		s.In = append(s.In, m.index)
	}
	g.c.Steps = append(g.c.Steps, s)
	out := made{index: len(g.c.Steps) - 1, table: table}
	for _, m := range in {
		out.many = out.many || m.many || fans(g.c.Steps[out.index])
	}
	if len(in) > 0 {
		out.windows = in[0].windows
		if table {
			out.alone, out.history = in[0].alone, in[0].history
		}
	}
	return out
}

// fans reports whether a step may make several records of one.
func fans(s step) bool {
	return s.Op == "flat-map" || s.Op == "merge" || strings.HasSuffix(s.Op, "-streams") || strings.HasSuffix(s.Op, "-table-by") || s.Windows != nil
}

// name returns a new name.
func (g *generator) name(prefix string) string {
	g.names++
	return fmt.Sprint(prefix, g.names)
}

func (g *generator) source() made {
	if g.one("table", 4) {
		return g.sourceTable()
	}
	return g.sourceStream()
}

func (g *generator) sourceTable() made {
	s := step{Op: "table", Name: g.name("table")}
	if g.one("versioned", 3) {
		s.History = g.duration("history", 1, 30)
	}
	out := g.add(s, true)
	out.history = s.History
	return out
}

func (g *generator) sourceStream() made {
	return g.add(step{Op: "stream", Name: g.name("in")}, false)
}

// one returns true in one of n cases, and false in the simplest case.
func (g *generator) one(what string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(g.t, what) == n-1
}

func (g *generator) letter(what string) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(g.t, what)
}

var (
	streamOps = []string{
		"filter", "filter-not", "map", "flat-map", "branch", "merge", "key-by", "to-table",
		"count", "reduce", "aggregate", "count", "reduce", "aggregate", "join-global", "left-join-global",
	}
	plainStreamOps = []string{
		"windowed", "windowed", "windowed", "cogroup", "cogroup", "join", "left-join",
		"join-streams", "left-join-streams", "outer-join-streams", "join-streams", "left-join-streams", "outer-join-streams",
	}
	// Joins of Rio find final windows when they have closed, and those of Kafka Streams before. Rows of windows can be found a
	// little longer in Kafka Streams, whose stores have the time of the start of windows. A windowed cogroup cannot be joined there.
	aloneOps = []string{
		"to-stream", "map-table", "filter-table", "filter-not-table", "count-table-by", "reduce-table-by", "aggregate-table-by",
	}
	// What a filter lets pass of late rows is known of unversioned tables only, to the model.
	versionedOps = []string{
		"to-stream", "map-table", "join-tables", "left-join-tables", "outer-join-tables", "join-tables-by", "left-join-tables-by",
		"count-table-by", "reduce-table-by", "aggregate-table-by",
	}
	tableOps = []string{
		"to-stream", "to-stream", "map-table", "filter-table", "filter-not-table",
		"join-tables", "left-join-tables", "outer-join-tables", "join-tables-by", "left-join-tables-by",
		"count-table-by", "reduce-table-by", "aggregate-table-by",
	}
)

// aCentury is longer than the records of a case may be apart, in ms.
const aCentury = 3_000_000_000_000

// step adds a step behind head.
func (g *generator) step(head made) made {
	ops := tableOps
	switch {
	case head.alone:
		ops = aloneOps
	case head.history > 0:
		ops = versionedOps
	case !head.table:
		ops = streamOps
		if head.windows == nil {
			ops = slices.Concat(streamOps, plainStreamOps)
		}
	}
	if head.many { // Kafka Streams drops answers of foreign-key joins as outdated, for which Rio asks again
		ops = slices.DeleteFunc(slices.Clone(ops), func(op string) bool { return strings.HasSuffix(op, "join-tables-by") })
	}
	s := step{Op: rapid.SampledFrom(ops).Draw(g.t, "op")}
	switch s.Op {
	case "filter", "filter-not", "filter-table", "filter-not-table":
		s.Text = g.letter("text")
	case "map", "map-table":
		s.Text = "m"
	case "branch":
		return g.branch(head)
	case "merge":
		return g.merge(head)
	case "key-by":
		s.Name = g.name("by")
		return g.rekeyed(s, false, head)
	case "count-table-by", "reduce-table-by", "aggregate-table-by":
		s.Name = g.name("groups")
		if s.Op == "aggregate-table-by" {
			s.Text = rapid.SampledFrom([]string{"0", ""}).Draw(g.t, "first")
		}
		return g.rekeyed(s, true, head)
	case "join-tables-by", "left-join-tables-by":
		return g.joinBy(s, head)
	case "join-global", "left-join-global":
		return g.add(s, false, head, g.add(step{Op: "global-table", Name: g.name("global")}, true))
	case "count", "reduce", "aggregate":
		return g.aggregate(s, head)
	case "windowed":
		s.Op = rapid.SampledFrom([]string{"count", "reduce", "aggregate"}).Draw(g.t, "verb")
		w := g.windows()
		if w.Kind != "unlimited" {
			switch rapid.IntRange(0, 5).Draw(g.t, "retention") {
			case 2:
				s.Retention = 2*w.Size + w.Grace + g.duration("retention", 0, 30)
			case 3, 4:
				s.Retention = aCentury
			case 5: // Kafka Streams loses closed windows that have expired
				s.Final, s.Retention = true, aCentury
			}
		}
		return g.windowed(s, head, w)
	case "cogroup":
		return g.cogroup(s, head)
	case "to-table":
		s.Name = g.name("rows")
		out := g.add(s, true, head)
		out.alone = false
		return out
	case "to-stream":
		return g.add(s, false, head)
	case "join", "left-join":
		other := g.otherTable(head)
		if other.history > 0 && g.one("hold", 2) {
			s.Name, s.Hold = g.name("held"), g.unit*rapid.Int64Range(1, other.history/g.unit).Draw(g.t, "hold")
		}
		return g.add(s, false, head, other)
	case "join-streams", "left-join-streams", "outer-join-streams":
		s.Name, s.Interval = g.name("joined"), g.interval()
		return g.add(s, false, head, g.otherStream(head))
	case "join-tables", "left-join-tables", "outer-join-tables":
		return g.joined(s, head, g.otherTable(head))
	}
	return g.add(s, head.table, head)
}

// joined adds a step that makes a table of two, which is not versioned.
func (g *generator) joined(s step, left, right made) made {
	out := g.add(s, true, left, right)
	out.history = 0
	return out
}

// rekeyed adds a step whose keys are texts.
func (g *generator) rekeyed(s step, table bool, head made) made {
	out := g.add(s, table, head)
	out.windows, out.history, out.alone = nil, 0, false
	return out
}

// joinBy adds a foreign-key join. Without a store, only ToStream may follow.
func (g *generator) joinBy(s step, head made) made {
	s.Name = g.name("foreign")
	if g.one("stored", 2) {
		s.Stored = g.name("rows")
		return g.joined(s, head, g.otherTable(made{table: true}))
	}
	return g.add(step{Op: "to-stream"}, false, g.joined(s, head, g.otherTable(made{table: true})))
}

// otherStream returns a stream that can be joined with head.
func (g *generator) otherStream(head made) made {
	switch rapid.IntRange(0, 5).Draw(g.t, "other") {
	case 4:
		return g.step0(g.sourceStream(), "map")
	case 5:
		return head
	}
	return g.sourceStream()
}

// otherTable returns a table with keys like those of head.
func (g *generator) otherTable(head made) made {
	if head.windows != nil {
		s := step{Op: "reduce"}
		if head.windows.Kind != "unlimited" {
			s.Retention = aCentury + 2*head.windows.Size + head.windows.Grace
		}
		return g.windowed(s, g.sourceStream(), head.windows)
	}
	other := rapid.IntRange(0, 4).Draw(g.t, "other")
	switch other {
	case 2:
		return g.aggregate(step{Op: "reduce"}, g.sourceStream())
	case 3:
		return g.step0(g.sourceTable(), "map-table")
	case 4:
		if rows := g.sourceTable(); rows.history == 0 {
			return g.step0(rows, "filter-table")
		} else {
			return rows
		}
	}
	return g.sourceTable()
}

// step0 adds a step that needs nothing but a text.
func (g *generator) step0(head made, op string) made {
	return g.add(step{Op: op, Text: g.letter("text")}, head.table, head)
}

// merge merges head with another stream, or with a copy of itself.
func (g *generator) merge(head made) made {
	other := made{}
	switch {
	case head.windows != nil || g.one("copy", 3):
		other = g.step0(head, "map")
	default:
		other = g.sourceStream()
	}
	return g.add(step{Op: "merge"}, false, head, other)
}

// branch goes on with one output, and sometimes writes the other.
func (g *generator) branch(head made) made {
	matched := g.step0(head, "branch")
	rest := g.add(step{Op: "rest"}, false, matched)
	if g.one("rest", 2) {
		matched, rest = rest, matched
	}
	switch rapid.IntRange(0, 2).Draw(g.t, "other branch") {
	case 1:
		g.sink(rest)
	case 2:
		return g.add(step{Op: "merge"}, false, g.step0(matched, "map"), rest)
	}
	return matched
}

func (g *generator) aggregate(s step, head made) made {
	s.Name = g.name("sums")
	if s.Op == "aggregate" || s.Op == "cogroup" {
		s.Text = rapid.SampledFrom([]string{"0", ""}).Draw(g.t, "first")
		if g.one("delete", 4) {
			s.Delete = g.letter("delete")
		}
	}
	return g.add(s, true, head)
}

// cogroup aggregates head and other streams.
func (g *generator) cogroup(s step, head made) made {
	if g.one("windows", 2) {
		s.Windows = g.windows()
		// In Kafka Streams, each part has a time of its own, and may begin a window anew that has expired by another's.
		switch s.Windows.Kind {
		case "sliding", "sessions":
			s.Windows.Grace = aCentury
		case "tumbling", "hopping":
			s.Retention = aCentury
		}
	}
	parts := []int{head.index}
	for range rapid.IntRange(1, 2).Draw(g.t, "parts") {
		parts = append(parts, g.sourceStream().index)
	}
	out := g.aggregate(s, head)
	g.c.Steps[out.index].In = parts
	out.windows, out.alone = s.Windows, s.Windows != nil
	return out
}

func (g *generator) windowed(s step, head made, w *windows) made {
	s.Windows = w
	// For Kafka Streams, null is a value here, except in sliding windows. A Reduce of records would make records.
	s.CountNulls = s.Op != "reduce" && w.Kind != "sliding" && g.one("count nulls", 2)
	out := g.aggregate(s, head)
	out.windows, out.alone = w, s.Final || s.Retention < aCentury && w.Kind != "unlimited"
	return out
}

// duration draws a multiple of the unit.
func (g *generator) duration(what string, least, most int64) int64 {
	return g.unit * rapid.Int64Range(least, most).Draw(g.t, what)
}

func (g *generator) windows() *windows {
	w := &windows{Kind: rapid.SampledFrom([]string{"tumbling", "hopping", "sliding", "sessions", "unlimited"}).Draw(g.t, "windows")}
	w.Size = g.duration("size", 1, 15)
	switch w.Kind {
	case "hopping":
		w.Advance = g.unit * rapid.Int64Range(1, w.Size/g.unit).Draw(g.t, "advance")
	case "unlimited":
		return w
	}
	w.Grace = g.duration("grace", 0, 12)
	return w
}

func (g *generator) interval() *interval {
	i := &interval{Before: g.duration("before", -3, 12), Grace: g.duration("grace", 0, 8)}
	i.After = g.unit * rapid.Int64Range(max(-i.Before/g.unit, -3), 12).Draw(g.t, "after")
	if i.Before+i.After+i.Grace == 0 { // Kafka Streams keeps such records for no time, and joins none
		i.Grace = g.unit
	}
	return i
}

// sink writes a stream, or the changes of a table, to an output topic.
func (g *generator) sink(head made) {
	if head.table {
		head = g.add(step{Op: "to-stream"}, false, head)
	}
	g.add(step{Op: "to", Name: g.name("out")}, false, head)
}

// inputs draws the records.
func (g *generator) inputs() {
	var topics []string
	for _, s := range g.c.Steps {
		if len(s.In) == 0 {
			topics = append(topics, s.Name)
		}
	}
	now := int64(0)
	if g.c.negative() {
		// In the first moments of 1970, Kafka Streams joins records that are out of a negative bound.
		now = 2000 * g.unit
	}
	// A left join of Kafka Streams that holds records back dies of one without a key.
	keyless := !slices.ContainsFunc(g.c.Steps, func(s step) bool { return s.Hold > 0 })
	record := rapid.Custom(func(t *rapid.T) input {
		now += g.unit * rapid.SampledFrom([]int64{0, 0, 0, 1, 1, 1, 2, 2, 5, 5, 10, 10, 40, 1_000_000}).Draw(t, "later")
		late := g.unit * rapid.SampledFrom([]int64{0, 0, 0, 0, 1, 1, 3, 3, 10, 10, 40, 1000}).Draw(t, "late")
		return input{
			Topic:   rapid.SampledFrom(topics).Draw(t, "topic"),
			Key:     text(t, "key", []string{"a", "b", "", "ab"}, keyless),
			Value:   text(t, "value", []string{"a", "b", "c", "", "ab", "abc", "bb"}, true),
			At:      max(0, now-late),
			Headers: headers(t),
		}
	})
	g.c.Inputs = rapid.SliceOfN(record, 1, 40).Draw(g.t, "records")
}

// negative reports whether an interval of the case has a negative bound.
func (c testCase) negative() bool {
	return slices.ContainsFunc(c.Steps, func(s step) bool { return s.Interval != nil && min(s.Interval.Before, s.Interval.After) < 0 })
}

// text draws one of the texts, or null if there may be one.
func text(t *rapid.T, what string, texts []string, orNull bool) *string {
	if orNull && rapid.IntRange(0, 11).Draw(t, "no "+what) == 11 {
		return nil
	}
	text := rapid.SampledFrom(texts).Draw(t, what)
	return &text
}

func headers(t *rapid.T) []header {
	var hs []header
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "headers") {
		h := header{Key: rapid.SampledFrom([]string{"h", "i"}).Draw(t, "header")}
		if rapid.Bool().Draw(t, "header value") {
			h.Value = []byte(rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "header value"))
		}
		hs = append(hs, h)
	}
	return hs
}
