package conduct

import "github.com/rio-streams/rio/examples/fleet-tracking/fleet"

const (
	moving   = 1.0      // m/s: a vehicle that is slower stands
	short    = 2.0      // seconds: the farthest that two fixes may be apart to show harsh braking
	harsh    = 2.5      // m/s²
	rolling  = 10 / 3.6 // m/s before or after a harsh change of speed
	rounding = 1e-9     // m/s: by which a speed in km/h may miss a limit in km/h
)

// Point is a fix and what was known when it came. Later corrections of limits and assignments do not change it, so that what it added
// can be taken back exactly.
type Point struct {
	fleet.Fix
	Ignition *bool   `json:"ignicao,omitempty"`
	Limit    float64 `json:"limite,omitempty"` // m/s, with the tolerance; 0: none is known
	Sheet
}

// over reports whether the vehicle says that it is over the limit.
func (p Point) over() bool { return p.Speed != nil && beyond(*p.Speed, p.Limit) }

func beyond(speed, limit float64) bool { return limit > 0 && speed > limit+rounding }

// alone returns what the fix adds without its neighbours.
func (p Point) alone() Figures {
	f := Figures{Fixes: 1}
	if p.Limit > 0 {
		f.Limited = 1
	}
	if p.Speed == nil {
		return f
	}
	f.Reported = 1
	if *p.Speed >= moving {
		f.MovingFixes = 1
		if p.Limit > 0 {
			f.JudgedFixes = 1
		}
	}
	if p.over() {
		f.OverFixes = 1
	}
	return f
}

// pair is what two consecutive fixes of a sheet tell.
type pair struct {
	Figures
	standing, over bool
	speed          float64 // from positions, m/s; 0 if the vehicle stands or the pair is left out
	change         float64 // of the reported speed, m/s²; 0 if it is not known
}

// between returns what two consecutive fixes of a vehicle tell: nothing if they belong to different sheets.
func between(a, b Point) pair {
	if a.Sheet != b.Sheet {
		return pair{}
	}
	m := fleet.Pair(a.Fix, b.Fix)
	if m.Pairs == 0 {
		return pair{Figures: Figures{LeftOut: 1}}
	}
	p := pair{Figures: Figures{Pairs: 1, Distance: m.Distance, Time: m.Time, Moving: m.Moving}}
	if p.standing = m.Moving == 0; p.standing {
		if a.Ignition != nil && b.Ignition != nil {
			p.WithIgnition = m.Time
			if *a.Ignition && *b.Ignition {
				p.Idle = m.Time
			}
		}
	} else {
		p.speed = m.Distance.Metres() / m.Time.Seconds()
		limit := max(a.Limit, b.Limit) // from one limit to another, over both
		if a.Limit > 0 && b.Limit > 0 {
			p.JudgedTime = m.Time
			p.over = beyond(p.speed, limit)
		}
	}
	if a.Speed != nil && b.Speed != nil {
		p.change = (*b.Speed - *a.Speed) / m.Time.Seconds()
	}
	if m.Time.Seconds() <= short {
		p.addShort(a, b)
	}
	return p
}

// addShort counts a pair that is short enough to show harsh driving.
func (p *pair) addShort(a, b Point) {
	p.Short = 1
	if a.Speed == nil || b.Speed == nil {
		return
	}
	if !p.standing {
		p.ShortTime = p.Time
	}
	if max(*a.Speed, *b.Speed) < rolling {
		return
	}
	switch {
	case p.change >= harsh:
		p.Accelerations = 1
	case p.change <= -harsh:
		p.Brakings = 1
	}
}
