package drivers

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/state"
)

// longestDay is longer than any local day, even one on which clocks are put back.
const longestDay = fleet.Instant(26 * time.Hour / time.Millisecond)

// journal is what is kept of the fixes of vehicles: the end of each vehicle's fixes, the fixes that a late one may come between, and what
// the days so far add up to. What it forgets of a vehicle depends on the vehicle alone, so results depend neither on the number of
// partitions nor on how far other vehicles have come.
type journal struct {
	trails *state.KeyValue[string, conduct.Trail]
	points *state.KeyValue[codec.WindowKey[string], conduct.Point]
	parts  *state.KeyValue[codec.WindowKey[string], map[string]conduct.Part]
	late   fleet.Instant
}

// add takes in a fix and returns the figures of the vehicle that it changes. It ignores a fix that it has, and one that comes too late.
func (j journal) add(vehicle string, fix conduct.Point, now int64) ([]conduct.Entry, error) {
	trail, _, err := j.trails.Get(vehicle)
	if err != nil {
		return nil, err
	}
	if last := trail.Last; last == nil || fix.Instant > last.Instant {
		return j.next(vehicle, trail, fix, now)
	} else if fix.Instant < last.Instant-j.late {
		return nil, nil
	}
	if _, known, err := j.points.Get(at(vehicle, fix.Instant)); err != nil || known {
		return nil, err
	}
	return j.insert(vehicle, trail, fix, now)
}

// next takes in a fix that is newer than all others of its vehicle.
func (j journal) next(vehicle string, trail conduct.Trail, fix conduct.Point, now int64) ([]conduct.Entry, error) {
	if last := trail.Last; last != nil && last.Day != fix.Day {
		if err := j.expire(vehicle, fix.Instant-j.late-longestDay, now); err != nil {
			return nil, err
		}
	}
	peaks := conduct.PeaksOf(trail.Last, fix)
	trail, figures := trail.Add(fix)
	if err := j.trails.Put(vehicle, trail, now); err != nil {
		return nil, err
	}
	if err := j.points.Put(at(vehicle, fix.Instant), fix, now); err != nil {
		return nil, err
	}
	entry, err := j.update(vehicle, fix.Sheet, now, func(p conduct.Part) (conduct.Part, error) {
		return conduct.Part{Figures: p.Figures.Plus(figures), Peaks: p.Peaks.With(peaks)}, nil
	})
	return []conduct.Entry{entry}, err
}

// insert takes in a fix that comes late, and splits the pair around it.
func (j journal) insert(vehicle string, trail conduct.Trail, fix conduct.Point, now int64) ([]conduct.Entry, error) {
	vicinity, err := conduct.VicinityOf(fix, j.back(vehicle, fix.Instant), j.ahead(vehicle, fix.Instant))
	if err != nil {
		return nil, err
	}
	if err := j.trails.Put(vehicle, vicinity.Trail(trail), now); err != nil {
		return nil, err
	}
	if err := j.points.Put(at(vehicle, fix.Instant), fix, now); err != nil {
		return nil, err
	}
	change := vicinity.Change()
	split, gained := vicinity.Peaks()
	var entries []conduct.Entry
	for _, sheet := range sheets(change) {
		entry, err := j.update(vehicle, sheet, now, func(p conduct.Part) (conduct.Part, error) {
			peaks := p.Peaks.With(gained[sheet])
			if p.HeldBy(split[sheet]) {
				if peaks, err = j.peaks(vehicle, sheet, fix.Instant); err != nil {
					return p, err
				}
			}
			return conduct.Part{Figures: p.Figures.Plus(change[sheet]), Peaks: peaks}, nil
		})
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// update changes what the vehicle adds to a sheet.
func (j journal) update(
	vehicle string, sheet conduct.Sheet, now int64, change func(conduct.Part) (conduct.Part, error),
) (conduct.Entry, error) {
	day, err := dayOf(vehicle, sheet.Day)
	if err != nil {
		return conduct.Entry{}, err
	}
	before, _, err := j.parts.Get(day)
	if err != nil {
		return conduct.Entry{}, err
	}
	part, err := change(before[sheet.Driver])
	if err != nil {
		return conduct.Entry{}, err
	}
	after := maps.Clone(before)
	if after == nil {
		after = map[string]conduct.Part{}
	}
	after[sheet.Driver] = part
	return conduct.Entry{Sheet: sheet, From: vehicle, Part: &part}, j.parts.Put(day, after, now)
}

// peaks looks for the peaks of a sheet among all fixes of its day.
func (j journal) peaks(vehicle string, sheet conduct.Sheet, around fleet.Instant) (peaks conduct.Peaks, err error) {
	var last *conduct.Point
	for fix, err := range j.between(vehicle, around-longestDay, around+longestDay) {
		if err != nil {
			return peaks, err
		}
		if fix.Sheet == sheet {
			peaks = peaks.With(conduct.PeaksOf(last, fix))
		}
		last = &fix
	}
	return peaks, nil
}

// between iterates over the fixes of a vehicle from one instant to another, both included.
func (j journal) between(vehicle string, from, to fleet.Instant) iter.Seq2[conduct.Point, error] {
	return func(yield func(conduct.Point, error) bool) {
		for row, err := range j.points.Range(at(vehicle, max(0, from)), at(vehicle, to)) {
			if err == nil && row.Key.Key != vehicle { // its name begins with that of the vehicle
				continue
			}
			if !yield(row.Value, err) || err != nil {
				return
			}
		}
	}
}

// ahead iterates over the fixes of a vehicle after an instant, for as long as a day lasts.
func (j journal) ahead(vehicle string, after fleet.Instant) iter.Seq2[conduct.Point, error] {
	return j.between(vehicle, after+1, after+longestDay)
}

// back iterates over the fixes of a vehicle before an instant, the latest first.
func (j journal) back(vehicle string, before fleet.Instant) iter.Seq2[conduct.Point, error] {
	const step = fleet.Instant(15 * time.Minute / time.Millisecond)
	return func(yield func(conduct.Point, error) bool) {
		for to := before; to > before-longestDay; to -= step {
			var fixes []conduct.Point
			for fix, err := range j.between(vehicle, to-step, to-1) {
				if err != nil {
					yield(fix, err)
					return
				}
				fixes = append(fixes, fix)
			}
			for _, fix := range slices.Backward(fixes) {
				if !yield(fix, nil) {
					return
				}
			}
		}
	}
}

// expire removes what is kept of a vehicle from before a moment.
func (j journal) expire(vehicle string, before fleet.Instant, now int64) error {
	if err := expire(j.points, vehicle, before, now); err != nil {
		return err
	}
	return expire(j.parts, vehicle, before-longestDay, now) // their keys are midnights in UTC
}

func expire[V any](rows *state.KeyValue[codec.WindowKey[string], V], vehicle string, before fleet.Instant, now int64) error {
	if before <= 0 {
		return nil
	}
	for row, err := range rows.Range(at(vehicle, 0), at(vehicle, before-1)) {
		if err != nil {
			return err
		}
		if row.Key.Key != vehicle {
			continue
		}
		if err := rows.Delete(row.Key, now); err != nil {
			return err
		}
	}
	return nil
}

// forget removes all that is kept of vehicles that have sent nothing since.
func (j journal) forget(since fleet.Instant) error {
	for row, err := range j.trails.All() {
		if err != nil {
			return err
		}
		last := row.Value.Last.Instant
		if last >= since {
			continue
		}
		if err := expire(j.points, row.Key, last+1, int64(since)); err != nil {
			return err
		}
		if err := expire(j.parts, row.Key, last+longestDay, int64(since)); err != nil {
			return err
		}
		if err := j.trails.Delete(row.Key, int64(since)); err != nil {
			return err
		}
	}
	return nil
}

func at(vehicle string, moment fleet.Instant) codec.WindowKey[string] {
	return codec.WindowKey[string]{Key: vehicle, Start: moment.Time()}
}

// dayOf is the key of a vehicle and a local day, named by its midnight in UTC.
func dayOf(vehicle, day string) (codec.WindowKey[string], error) {
	midnight, err := time.Parse("20060102", day)
	return codec.WindowKey[string]{Key: vehicle, Start: midnight}, err
}

// sheets returns the sheets whose figures change, in an order of their own.
func sheets(change map[conduct.Sheet]conduct.Figures) []conduct.Sheet {
	var changed []conduct.Sheet
	for sheet, figures := range change {
		if figures != (conduct.Figures{}) {
			changed = append(changed, sheet)
		}
	}
	slices.SortFunc(changed, func(a, b conduct.Sheet) int { return strings.Compare(a.Key(), b.Key()) })
	return changed
}
