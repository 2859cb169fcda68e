package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Process runs a step written by hand. start is called once for each task; it opens the attached stores, schedules
// timers and returns what handles a record. Steps that attach the same definition share the store.
//
// The step emits keys of its own partition: those of the records it handles, or those it keeps in its stores. A step
// that makes other keys is ProcessKV.
func Process[K, V, W any](s *Stream[K, V], name string, start func(*processor.Context[K, W]) processor.Handler[K, V], stores ...state.Definition) *Stream[K, W] {
	out := process(s, name, start, stores)
	out.key, out.rekeyed, out.windows = s.key, s.rekeyed, s.windows
	return out
}

// ProcessKV is Process for a step that changes the key. As after MapKV, the stream must pass through KeyBy before
// state can be kept by the new key.
func ProcessKV[K, V, L, W any](s *Stream[K, V], name string, start func(*processor.Context[L, W]) processor.Handler[K, V], stores ...state.Definition) *Stream[L, W] {
	out := process(s, name, start, stores)
	out.rekeyed = true
	return out
}

func process[K, V, L, W any](s *Stream[K, V], name string, start func(*processor.Context[L, W]) processor.Handler[K, V], stores []state.Definition) *Stream[L, W] {
	n := s.b.add("process", name, s.output())
	s.b.checkName(n.Where, "Process step", name)
	for _, def := range stores {
		s.b.attach(n, def, "")
	}
	if len(stores) > 0 {
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
	return &Stream[L, W]{b: s.b, node: n}
}
