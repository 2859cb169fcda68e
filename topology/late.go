package topology

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
)

// Step is a stream or a table, as an argument that names the step that made it.
type Step interface{ lateAt() *plan.Node }

// LateFor returns the records of this stream that came too late for a step: for a Window, an aggregate of one, or a join
// of streams. The stream must be an input of the step.
//
//	hourly := topology.Window(sales, topology.Tumbling(time.Hour).Grace(time.Minute))
//	totals := topology.Aggregate(hourly, "hourly-totals", Total.Add)
//	sales.LateFor(hourly).To(LateSales)
//
// A record goes there once, unchanged, if all its windows have closed. With sessions and sliding windows the aggregates
// decide: the record is late if it was late for at least one, and none has taken it. A record is late for a join if it
// is too old to be kept; it still meets what is there. Late records that are taken so are not counted as dropped.
func (s *Stream[K, V]) LateFor(at Step) *Stream[K, V] {
	n, port := s.b.lateOutput(at.lateAt(), s.output())
	out := after[V](s, &settings{node: n}, port)
	out.window = out.window.unclosed()
	return out
}

func (s *Stream[K, V]) lateAt() *plan.Node {
	if n := s.window.closer(); n != nil {
		return n
	}
	return s.node
}

func (t *Table[K, V]) lateAt() *plan.Node {
	if t.closing == nil || t.closing.window == nil {
		return t.node
	}
	return t.closing.window
}

// lateOutput returns the output of a step with the late records of one of its inputs.
func (b *Builder) lateOutput(n *plan.Node, input plan.Input) (*plan.Node, int) {
	side := slices.Index(n.Inputs, input)
	ports := latePorts[n.Kind]
	switch {
	case ports == nil:
		b.mistake(callSite(), "LateFor: nothing is late for %s (%s): name a Window, an aggregate of one, or a join of streams", n.Label(), n.Where)
	case side < 0:
		b.mistake(callSite(), "LateFor: the stream is not an input of %s (%s)", n.Label(), n.Where)
	default:
		n.Ports = ports[:1+len(n.Inputs)]
		return n, 1 + side
	}
	return b.add("late", "", input), 0
}

// latePorts are the names of the outputs of steps with late records, by the kind of the step.
var latePorts = map[string][]string{
	"window":             {"windows", "late"},
	"join-streams":       {"joined", "late on the left", "late on the right"},
	"left-join-streams":  {"joined", "late on the left", "late on the right"},
	"outer-join-streams": {"joined", "late on the left", "late on the right"},
}

// latePort returns the output for the late records of an input; nil if nobody takes them.
func latePort[K, V any](l *plan.Linker, n *plan.Node, side int) plan.Stream[K, V] {
	if len(n.Ports) == 0 {
		return nil
	}
	used := l.Uses(n, 1+side)
	if !used {
		return nil
	}
	return plan.StreamPort[K, V](l, n, 1+side)
}

// lateness is what the aggregates of a Window have found of the current record.
type lateness struct{ wanted, late, taken bool }

// latenessOf returns the lateness that Window n and its aggregates share.
func latenessOf(l *plan.Linker, n *plan.Node) *lateness {
	if n == nil {
		return new(lateness)
	}
	return l.Shared(n, func() any { return new(lateness) }).(*lateness)
}
