package fleet

import "slices"

// rememberedFixes is how many event times of a vehicle Repeats keeps: with a fix every ten seconds, five minutes.
const rememberedFixes = 32

// Repeats is the memory that recognises the fixes which a vehicle sends again: those with an event time that it has sent
// before. The first in order of arrival wins. It remembers the last 32 distinct event times, oldest arrival first; the zero
// value has seen nothing.
type Repeats struct {
	Seen []Instant `json:"vistos"`
}

// Add notes the fix and reports whether it is new. It never changes the memory that r shares with other copies.
func (r Repeats) Add(p Position) (Repeats, bool) {
	if slices.Contains(r.Seen, p.Instant) {
		return r, false
	}
	seen := r.Seen
	if len(seen) == rememberedFixes {
		seen = seen[1:]
	}
	return Repeats{Seen: append(slices.Clip(seen), p.Instant)}, true
}
