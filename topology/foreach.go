package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Foreach calls do for each record and ends the stream. If do returns an error, the record fails, and the
// application's policy is applied: its other effects are rolled back, too. A record that is processed again after a
// failure is seen again. For effects that must not undo what was computed before them see docs/outbox.md.
func (s *Stream[K, V]) Foreach(do func(processor.Record[K, V]) error) {
	n := s.b.add("foreach", "", s.output())
	s.b.needs(n, do != nil)
	n.Build = func(l *plan.Linker) []any {
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			l.Enter(n)
			if err := do(*r); err != nil {
				return plan.At(n, err)
			}
			return nil
		})}
	}
}
