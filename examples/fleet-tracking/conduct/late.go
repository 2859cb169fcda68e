package conduct

import (
	"iter"
	"slices"
)

// Vicinity is a fix that comes late, and the fixes of its vehicle around it, in the order of their event times, whose tally it changes.
type Vicinity struct {
	Fix           Point
	Before, After []Point
	within        bool // the fix is within a stand or a span over the limit, or outside of any, and changes none
}

// VicinityOf returns the fixes around one that comes late. back are the vehicle's fixes before it, the latest first, and ahead those
// after it. Usually it takes one of each. If the fix begins, ends or splits a stand or a span over the limit, it takes all of that.
func VicinityOf(fix Point, back, ahead iter.Seq2[Point, error]) (v Vicinity, err error) {
	v.Fix = fix
	nearest := func(Point, Point) bool { return false }
	if v.Before, err = take(back, nearest); err != nil {
		return v, err
	}
	if v.After, err = take(ahead, nearest); err != nil {
		return v, err
	}
	if len(v.Before) == 1 && len(v.After) == 1 && alike(v.Before[0], fix, v.After[0]) {
		v.within = true
		return v, nil
	}
	if v.Before, err = take(back, func(near, far Point) bool { return joined(far, near) }); err != nil {
		return v, err
	}
	slices.Reverse(v.Before)
	v.After, err = take(ahead, joined)
	return v, err
}

// take returns the first fix and those after it for as long as a fix goes on from the one before.
func take(fixes iter.Seq2[Point, error], goesOn func(near, far Point) bool) ([]Point, error) {
	var taken []Point
	for fix, err := range fixes {
		if err != nil {
			return nil, err
		}
		if len(taken) > 0 && !goesOn(taken[len(taken)-1], fix) {
			break
		}
		taken = append(taken, fix)
	}
	return taken, nil
}

// joined reports whether two consecutive fixes are part of one stand, or of one span over the limit.
func joined(a, b Point) bool {
	pair := between(a, b)
	return pair.standing || pair.over
}

// alike reports whether a fix between a and b changes no stand and no span over the limit.
func alike(a, fix, b Point) bool {
	before, after, whole := between(a, fix), between(fix, b), between(a, b)
	return before.standing == whole.standing && after.standing == whole.standing && before.over == whole.over && after.over == whole.over
}

// Change returns what the fix adds to the figures of each sheet.
func (v Vicinity) Change() map[Sheet]Figures {
	_, without := Tally(slices.Concat(v.Before, v.After)...)
	_, change := v.tally()
	for sheet, figures := range without {
		change[sheet] = change[sheet].Minus(figures)
	}
	return change
}

// Trail returns the trail of the vehicle, given the one without the fix.
func (v Vicinity) Trail(now Trail) Trail {
	if last := len(v.After) - 1; v.within || last < 0 || v.After[last].Instant != now.Last.Instant {
		return now
	}
	trail, _ := v.tally()
	return trail
}

func (v Vicinity) tally() (Trail, map[Sheet]Figures) {
	return Tally(slices.Concat(v.Before, []Point{v.Fix}, v.After)...)
}

// Peaks returns, by sheet, the peaks of the pair that the fix splits, and those of the fix and the pairs that it makes.
func (v Vicinity) Peaks() (split, gained map[Sheet]Peaks) {
	split, gained = map[Sheet]Peaks{}, map[Sheet]Peaks{}
	var left *Point
	if len(v.Before) > 0 {
		left = &v.Before[len(v.Before)-1]
	}
	gained[v.Fix.Sheet] = PeaksOf(left, v.Fix)
	if len(v.After) > 0 {
		right := v.After[0]
		gained[right.Sheet] = gained[right.Sheet].With(PeaksOf(&v.Fix, right))
		if left != nil {
			split[right.Sheet] = PeaksOf(left, right)
		}
	}
	return split, gained
}
