package oracle

import (
	"fmt"

	"pgregory.net/rapid"
)

// generator draws a case.
type generator struct {
	t     *rapid.T
	c     testCase
	names int
}

// made is a drawn step and what it makes.
type made struct {
	index int
	table bool
}

// drawCase draws a case: a chain of steps, some with a second input of its own, and the records of the input topics.
func drawCase(t *rapid.T) testCase {
	g := &generator{t: t}
	head := g.source()
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		head = g.step(head)
	}
	g.sink(head)
	g.inputs()
	return g.c
}

// add appends a step with the inputs in.
func (g *generator) add(s step, table bool, in ...made) made {
	for _, m := range in {
		s.In = append(s.In, m.index)
	}
	g.c.Steps = append(g.c.Steps, s)
	return made{index: len(g.c.Steps) - 1, table: table}
}

// name returns a new name.
func (g *generator) name(prefix string) string {
	g.names++
	return fmt.Sprint(prefix, g.names)
}

func (g *generator) source() made {
	if g.one("table", 4) {
		return g.add(step{Op: "table", Name: g.name("table")}, true)
	}
	return g.add(step{Op: "stream", Name: g.name("in")}, false)
}

// one returns true in one of n cases, and false in the simplest case.
func (g *generator) one(what string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(g.t, what) == n-1
}

func (g *generator) letter(what string) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(g.t, what)
}

// step adds a step behind head.
func (g *generator) step(head made) made {
	ops := []string{"filter", "filter-not", "map", "flat-map", "branch", "merge", "key-by", "count", "reduce", "aggregate", "to-table"}
	if head.table {
		ops = []string{"to-stream", "map-table", "filter-table", "filter-not-table"}
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
		other := g.add(step{Op: "stream", Name: g.name("in")}, false)
		return g.add(s, false, head, other)
	case "key-by":
		s.Name = g.name("by")
	case "count", "reduce", "aggregate":
		return g.aggregate(s, head)
	case "to-table":
		s.Name = g.name("rows")
		return g.add(s, true, head)
	case "to-stream":
		return g.add(s, false, head)
	}
	return g.add(s, head.table, head)
}

// branch goes on with one output, and sometimes writes the other.
func (g *generator) branch(head made) made {
	matched := g.add(step{Op: "branch", Text: g.letter("text")}, false, head)
	rest := g.add(step{Op: "rest"}, false, matched)
	if g.one("rest", 2) {
		matched, rest = rest, matched
	}
	if g.one("both", 2) {
		g.sink(rest)
	}
	return matched
}

func (g *generator) aggregate(s step, head made) made {
	s.Name = g.name("sums")
	if s.Op == "aggregate" {
		s.Text = rapid.SampledFrom([]string{"0", ""}).Draw(g.t, "first")
		if g.one("delete", 4) {
			s.Delete = g.letter("delete")
		}
	}
	return g.add(s, true, head)
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
	record := rapid.Custom(func(t *rapid.T) input {
		now += rapid.SampledFrom([]int64{0, 0, 1, 1, 2, 5, 10, 40}).Draw(t, "later")
		return input{
			Topic:   rapid.SampledFrom(topics).Draw(t, "topic"),
			Key:     g.text(t, "key", []string{"a", "b", "", "ab"}),
			Value:   g.text(t, "value", []string{"a", "b", "c", "", "ab", "abc", "bb"}),
			At:      max(0, now-rapid.SampledFrom([]int64{0, 0, 0, 1, 3, 10, 40}).Draw(t, "late")),
			Headers: headers(t),
		}
	})
	g.c.Inputs = rapid.SliceOfN(record, 1, 30).Draw(g.t, "records")
}

// text draws one of the texts, or null.
func (g *generator) text(t *rapid.T, what string, texts []string) *string {
	if rapid.IntRange(0, 9).Draw(t, "no "+what) == 9 {
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
