package conduct

import "math"

// Peaks are the greatest values of a sheet. They do not add up: if the fix that comes late splits the pair that holds one, all pairs of
// the sheet have to be looked at again.
type Peaks struct {
	TopSpeed     float64 `json:"maximaPorPosicoes,omitempty"` // of moving pairs, m/s
	TopReported  float64 `json:"maximaInformada,omitempty"`   // m/s
	Acceleration float64 `json:"maiorAumento,omitempty"`      // of the reported speed over a pair, m/s²
	Braking      float64 `json:"maiorReducao,omitempty"`      // likewise, negative
}

// PeaksOf returns the peaks of a fix and of the pair with the fix before it, nil if there is none.
func PeaksOf(before *Point, fix Point) Peaks {
	var p Peaks
	if fix.Speed != nil {
		p.TopReported = rounded(*fix.Speed)
	}
	if before != nil {
		pair := between(*before, fix)
		p.TopSpeed = rounded(pair.speed)
		p.Acceleration, p.Braking = rounded(max(0, pair.change)), rounded(min(0, pair.change))
	}
	return p
}

// With returns the peaks of both.
func (p Peaks) With(q Peaks) Peaks {
	return Peaks{
		TopSpeed: max(p.TopSpeed, q.TopSpeed), TopReported: max(p.TopReported, q.TopReported),
		Acceleration: max(p.Acceleration, q.Acceleration), Braking: min(p.Braking, q.Braking),
	}
}

// HeldBy reports whether a peak of p may come from the pair whose peaks are q: one of them is equal.
func (p Peaks) HeldBy(q Peaks) bool {
	return q.TopSpeed != 0 && q.TopSpeed == p.TopSpeed ||
		q.Acceleration != 0 && q.Acceleration == p.Acceleration || q.Braking != 0 && q.Braking == p.Braking
}

// rounded rounds to a thousandth. Peaks are compared, and so must not depend on the last bits.
func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }
