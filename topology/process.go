package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Process runs a custom step. start is called once per task; it opens what the step uses, schedules timers and returns
// the handler of records. The step may use the stores and tables that are attached to it: a definition of package
// state, opened with its In method, or a Table, whose rows it reads with Table.In. Steps that attach the same
// definition share the store.
//
// The step must emit keys of its own partition: those of the records it handles, or those it keeps in its stores. Use
// ProcessKV for a step that emits other keys.
func Process[K, V, W any](s *Stream[K, V], name string, start func(*processor.Context[K, W]) processor.Handler[K, V], uses ...Attachment) *Stream[K, W] {
	out := after[W](s, &settings{node: process(s, name, start, uses)}, 0)
	out.window = out.window.unclosed() // a timer may emit records of closed windows
	return out
}

// ProcessKV is like Process for a step that changes the key. As after MapKV, the stream must pass through KeyBy before state
// can be kept by the new key.
func ProcessKV[K, V, L, W any](s *Stream[K, V], name string, start func(*processor.Context[L, W]) processor.Handler[K, V], uses ...Attachment) *Stream[L, W] {
	return rekey[L, W](s, &settings{node: process(s, name, start, uses)})
}

// Attachment is what a custom step may use: a state.Definition or a *Table.
type Attachment interface{ Name() string }

// attachable is a table of any type.
type attachable interface {
	attachTo(b *Builder, n *plan.Node)
}

func process[K, V, L, W any](s *Stream[K, V], name string, start func(*processor.Context[L, W]) processor.Handler[K, V], uses []Attachment) *plan.Node {
	n := s.b.add("process", name, s.output())
	s.b.needs(n, start != nil)
	s.b.checkName(n.Where, "Process step", name)
	for _, use := range uses {
		switch use := use.(type) {
		case state.Definition:
			s.b.deferStep(func() { s.b.attach(n, use, "") })
		case attachable:
			use.attachTo(s.b, n)
		default:
			s.b.mistake(n.Where, "%s cannot use a %T: attach a definition of package state, or a table", n.Label(), use)
		}
	}
	if len(uses) > 0 {
		s.needsKey(n)
	}
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[L, W](l, n)
		l.Enter(n)
		handle := start(processor.NewContext(l.Host, n.Label(), next))
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			l.Enter(n)
			if err := handle(*r); err != nil {
				return plan.At(n, err)
			}
			return nil
		})}
	}
	return n
}
