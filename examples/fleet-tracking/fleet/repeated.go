package fleet

import (
	"cmp"
	"slices"
	"time"
)

const (
	detourPeriod  = 14 * 24 * time.Hour // before the latest detour of a line, in which others repeat it
	repeats       = 3                   // runs with a detour that make it a repeated one
	sharedStretch = 0.5                 // of the shorter of two stretches: they are the same detour
)

// LineKey names a way of a route: its detours can be compared, because they are measured along the same line.
type LineKey struct {
	Route string `json:"linha"`
	Path  string `json:"trajeto"`
}

// LineKeyOf is where a detour counts.
func LineKeyOf(d Detour) LineKey { return LineKey{d.Route, d.Path} }

// DetourChange is what the topology sends from the vehicle to the line.
type DetourChange = Change[Detour]

// skip is a stretch of the line that a run did not drive.
type skip struct {
	First Instant `json:"t"`
	From  Length  `json:"de"`
	To    Length  `json:"a"`
	Run   Run     `json:"percurso"`
	Extra Length  `json:"m"`
}

func skipOf(d Detour) skip {
	from, to, _ := d.Skipped()
	s := skip{First: d.First, From: Metres(from), To: Metres(to), Run: d.Run}
	if d.Extra != nil {
		s.Extra = Metres(*d.Extra)
	}
	return s
}

func (s skip) at() Instant { return s.First }

func (s skip) compare(other skip) int {
	return cmp.Or(
		cmp.Compare(s.First, other.First), cmp.Compare(s.From, other.From), cmp.Compare(s.To, other.To),
		cmp.Compare(s.Run.Vehicle, other.Run.Vehicle), cmp.Compare(s.Run.Route, other.Run.Route), cmp.Compare(s.Run.Trip, other.Run.Trip),
		cmp.Compare(s.Run.Day, other.Run.Day), cmp.Compare(s.Run.Start, other.Run.Start), cmp.Compare(s.Extra, other.Extra),
	)
}

// same reports whether two stretches overlap by half of the shorter.
func (s skip) same(other skip) bool {
	overlap := min(s.To, other.To) - max(s.From, other.From)
	shorter := min(s.To-s.From, other.To-other.From)
	return float64(overlap) >= sharedStretch*float64(shorter)
}

// LineDetours are the latest detours of a line. It is a value; the zero value has none.
type LineDetours struct {
	LineKey
	Skips recent[skip] `json:"desvios"`
}

// Apply adds a detour or takes it back.
func (l LineDetours) Apply(c DetourChange) LineDetours {
	return LineDetours{LineKeyOf(c.Value), apply(l.Skips, c, skipOf(c.Value), detourPeriod)}
}

// RepeatedDetours are the detours of a line that several runs have made. It is the value of topic desvios-repetidos.
type RepeatedDetours struct {
	LineKey
	Detours []RepeatedDetour `json:"desvios"` // the one of most runs first
}

// RepeatedDetour is a stretch of the line that three or more runs left out in 14 days. Each of their stretches overlaps it by half of the
// shorter of the two.
type RepeatedDetour struct {
	From  Length  `json:"de"`  // metres along the line
	To    Length  `json:"ate"` // likewise
	Runs  int     `json:"percursos"`
	First Instant `json:"primeiro"`    // start of the earliest
	Last  Instant `json:"ultimo"`      // start of the latest
	Extra Length  `json:"metrosAMais"` // sum over these runs, as far as it is known
}

// Summary finds the repeated detours. It takes the stretch that most runs left out, with all that are the same, and so on with the rest.
func (l LineDetours) Summary() RepeatedDetours {
	found := RepeatedDetours{LineKey: l.LineKey}
	left := slices.Clone(l.Skips)
	for {
		var most RepeatedDetour
		var same func(skip) bool
		for _, s := range left {
			if d := repetition(s, left); d.Runs > most.Runs {
				most, same = d, s.same
			}
		}
		if most.Runs < repeats {
			return found
		}
		found.Detours = append(found.Detours, most)
		left = slices.DeleteFunc(left, same)
	}
}

// repetition is a stretch as those make it that left out the same.
func repetition(s skip, all []skip) RepeatedDetour {
	d := RepeatedDetour{From: s.From, To: s.To, First: s.First, Last: s.First}
	runs := map[Run]bool{}
	for _, other := range all {
		if !s.same(other) {
			continue
		}
		runs[other.Run] = true
		d.First, d.Last = min(d.First, other.First), max(d.Last, other.First)
		d.Extra += other.Extra
	}
	d.Runs = len(runs)
	return d
}
