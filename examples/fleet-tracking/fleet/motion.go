package fleet

import (
	"math"
	"time"

	"github.com/paulmach/orb"
)

const (
	// MotionWindow is the length of the tumbling windows in which speeds are averaged.
	MotionWindow = 5 * time.Minute
	// LongestPair is the longest time between two fixes of a clean pair.
	LongestPair = longestGap * time.Second
)

const (
	slowest     = 1.0 // m/s: a pair of fixes that is slower is standing
	coveredWell = 0.8 // the part of a window that pairs must cover for its speed to be that of the window
)

// Fix is what motion is measured from: a position of which it is known that it has a place.
type Fix struct {
	Instant  Instant   `json:"instante"`
	Point    orb.Point `json:"ponto"`
	Speed    *float64  `json:"velocidade,omitempty"` // reported by the vehicle, m/s
	Odometer *float64  `json:"hodometro,omitempty"`  // metres
}

// Fix returns the fix of a position without Fault.
func (p Position) Fix() Fix { return Fix{p.Instant, p.Point(), p.Speed, p.Odometer} }

// Motion is how a vehicle moved in a window of time, measured between consecutive fixes of the vehicle, in the order of their
// event times. It is a sum of whole numbers: the fixes of a window give the same Motion in any order of arrival.
//
// A pair of fixes at most 300 s apart, and not faster than 50 m/s, is clean and counts; others are gaps and jumps. A vehicle is
// taken to move evenly between the fixes of a pair, so that a pair over the edge of a window gives each side its share. Gaps
// and jumps count in the window of their later fix.
type Motion struct {
	Fixes    int64  `json:"posicoes"`
	Distance Length `json:"metros"`            // of the clean pairs
	Time     Span   `json:"segundos"`          // of the clean pairs
	Moving   Span   `json:"segundosAndando"`   // of the clean pairs of at least 1 m/s
	Way      Length `json:"metrosAndando"`     // distance of those
	Pairs    int64  `json:"pares"`             // clean, counted in the window of their later fix
	Gaps     int64  `json:"lacunas,omitempty"` // pairs more than 300 s apart
	Jumps    int64  `json:"saltos,omitempty"`  // pairs faster than 50 m/s

	// What the vehicle itself says of the clean pairs of which both fixes have an odometer, or a speed.
	Odometer         Length `json:"hodometro,omitempty"`            // distance by the odometer
	OdometerDistance Length `json:"metrosComHodometro,omitempty"`   // from positions, of the same pairs
	OdometerTime     Span   `json:"segundosComHodometro,omitempty"` // time of the same pairs
	Reported         Length `json:"metrosInformados,omitempty"`     // distance: mean of the two speeds times the time
	ReportedTime     Span   `json:"segundosInformados,omitempty"`   // time of the same pairs
}

// Plus returns the sum of two motions.
func (m Motion) Plus(n Motion) Motion {
	m.Fixes += n.Fixes
	m.Distance += n.Distance
	m.Time += n.Time
	m.Moving += n.Moving
	m.Way += n.Way
	m.Pairs += n.Pairs
	m.Gaps += n.Gaps
	m.Jumps += n.Jumps
	m.Odometer += n.Odometer
	m.OdometerDistance += n.OdometerDistance
	m.OdometerTime += n.OdometerTime
	m.Reported += n.Reported
	m.ReportedTime += n.ReportedTime
	return m
}

// Negative returns what takes m back when it is added.
func (m Motion) Negative() Motion {
	return Motion{
		Fixes: -m.Fixes, Distance: -m.Distance, Time: -m.Time, Moving: -m.Moving, Way: -m.Way,
		Pairs: -m.Pairs, Gaps: -m.Gaps, Jumps: -m.Jumps,
		Odometer: -m.Odometer, OdometerDistance: -m.OdometerDistance, OdometerTime: -m.OdometerTime,
		Reported: -m.Reported, ReportedTime: -m.ReportedTime,
	}
}

// Standing returns how long the vehicle stood, as far as its fixes show: a stand shorter than the time between two fixes
// cannot be seen.
func (m Motion) Standing() Span { return m.Time - m.Moving }

func over(way Length, time Span) (float64, bool) {
	if time == 0 {
		return 0, false
	}
	return way.Metres() / time.Seconds(), true
}

// covered returns the part of the window that clean pairs cover.
func (m Motion) covered() float64 { return m.Time.Seconds() / MotionWindow.Seconds() }

// Share is what a fix adds to the motion of its vehicle in one window. At lies in the window.
type Share struct {
	At     Instant
	Motion Motion
}

// Shares returns what a fix adds to the motion of its vehicle, one share for each window that it changes, given the fixes of
// the vehicle before and after it; nil where there is none. If both are there, the fix came late and splits their pair, whose
// motion is taken back.
func Shares(before *Fix, fix Fix, after *Fix) []Share {
	var s shares
	s.add(fix.Instant, Motion{Fixes: 1})
	if before != nil && after != nil {
		s.addPair(*before, *after, Motion.Negative)
	}
	unchanged := func(m Motion) Motion { return m }
	if before != nil {
		s.addPair(*before, fix, unchanged)
	}
	if after != nil {
		s.addPair(fix, *after, unchanged)
	}
	return s
}

type shares []Share

// add adds a motion to the share of the window in which at lies.
func (s *shares) add(at Instant, m Motion) {
	for i := range *s {
		if windowOf((*s)[i].At) == windowOf(at) {
			(*s)[i].Motion = (*s)[i].Motion.Plus(m)
			return
		}
	}
	*s = append(*s, Share{at, m})
}

// windowOf returns the number of the window in which an instant lies.
func windowOf(at Instant) Instant { return at / Instant(MotionWindow.Milliseconds()) }

// Closed reports whether the window of an instant has closed by the newest fix: it ended at least grace before.
func Closed(at, newest Instant, grace time.Duration) bool {
	end := (windowOf(at) + 1) * Instant(MotionWindow.Milliseconds())
	return end <= newest-Instant(grace.Milliseconds())
}

// addPair adds the motion between a fix and the next later one, split at the edges of windows.
func (s *shares) addPair(a, b Fix, sign func(Motion) Motion) {
	whole := Pair(a, b)
	s.add(b.Instant, sign(whole.count()))
	var done Motion
	for from := a.Instant; from < b.Instant && whole.Time > 0; {
		to := min(b.Instant, (windowOf(from)+1)*Instant(MotionWindow.Milliseconds()))
		// A difference of rounded sums, so that the shares of a pair add up to the pair.
		upTo := whole.part(to-a.Instant, b.Instant-a.Instant)
		s.add(from, sign(upTo.Plus(done.Negative())))
		from, done = to, upTo
	}
}

// Pair returns the motion between two consecutive fixes of a vehicle.
func Pair(a, b Fix) Motion {
	seconds := b.Instant.Since(a.Instant)
	metres := Haversine(a.Point, b.Point)
	switch {
	case seconds > longestGap:
		return Motion{Gaps: 1}
	case metres > topSpeed*seconds:
		return Motion{Jumps: 1}
	}
	m := Motion{Pairs: 1, Distance: Metres(metres), Time: Span(b.Instant - a.Instant)}
	if metres >= slowest*seconds {
		m.Moving, m.Way = m.Time, m.Distance
	}
	if a.Odometer != nil && b.Odometer != nil {
		m.Odometer, m.OdometerDistance, m.OdometerTime = Metres(*b.Odometer-*a.Odometer), m.Distance, m.Time
	}
	if a.Speed != nil && b.Speed != nil {
		m.Reported, m.ReportedTime = Metres((*a.Speed+*b.Speed)/2*seconds), m.Time
	}
	return m
}

// count returns the counts of m without its sums.
func (m Motion) count() Motion { return Motion{Pairs: m.Pairs, Gaps: m.Gaps, Jumps: m.Jumps} }

// part returns the sums of m times time/whole, without its counts.
func (m Motion) part(time, whole Instant) Motion {
	of := func(x int64) int64 { return int64(math.Round(float64(x) * float64(time) / float64(whole))) }
	return Motion{
		Distance: Length(of(int64(m.Distance))), Time: Span(of(int64(m.Time))),
		Moving: Span(of(int64(m.Moving))), Way: Length(of(int64(m.Way))),
		Odometer: Length(of(int64(m.Odometer))), OdometerDistance: Length(of(int64(m.OdometerDistance))),
		OdometerTime: Span(of(int64(m.OdometerTime))),
		Reported:     Length(of(int64(m.Reported))), ReportedTime: Span(of(int64(m.ReportedTime))),
	}
}

// PositionSpeed is the speed of a vehicle in a window, from its positions. It is the value of topic velocidade-por-posicoes. The
// zero value has no fix; a window without time has no speed. Speeds are in m/s.
type PositionSpeed struct {
	Motion
	Speed       *float64 `json:"media,omitempty"`
	MovingSpeed *float64 `json:"mediaAndando,omitempty"`
	Covered     float64  `json:"cobertura"`         // the part of the window that pairs cover, from 0 to 1
	Partial     bool     `json:"parcial,omitempty"` // Covered is below 0.8
}

// Add takes in a share of the window's motion.
func (s PositionSpeed) Add(m Motion) PositionSpeed {
	m = s.Motion.Plus(m)
	s = PositionSpeed{Motion: m, Covered: m.covered(), Partial: m.covered() < coveredWell}
	if speed, ok := over(m.Distance, m.Time); ok {
		s.Speed = &speed
	}
	if speed, ok := over(m.Way, m.Moving); ok {
		s.MovingSpeed = &speed
	}
	return s
}
