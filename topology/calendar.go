package topology

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rio-streams/rio/state"
)

// Daily makes a window of each day in a time zone. A day ends where the next one begins: at the first instant after
// which no earlier date comes again. So days last 23 or 25 hours where the clocks change, and never overlap.
//
// The zone must have a name: load it with time.LoadLocation. The rules of zones change; embed package time/tzdata in
// the program, so that all its instances share them.
func Daily(zone *time.Location) Windows {
	return Windows{kind: calendarWindows, size: 25 * time.Hour, unit: day, zone: zone}
}

// Weekly makes a window of each week in a time zone, given its first day. Its days are those of Daily.
func Weekly(zone *time.Location, first time.Weekday) Windows {
	return Windows{kind: calendarWindows, size: (7*24 + 1) * time.Hour, unit: week, zone: zone, first: first}
}

// Monthly makes a window of each month in a time zone. Its days are those of Daily.
func Monthly(zone *time.Location) Windows {
	return Windows{kind: calendarWindows, size: (31*24 + 1) * time.Hour, unit: month, zone: zone}
}

// Unlimited makes one window of all records from start on, which never closes. Earlier records are dropped and counted
// as late.
func Unlimited(start time.Time) Windows {
	return Windows{kind: unlimitedWindows, size: forever, from: start.UnixMilli()}
}

// forever is the size of an unlimited window. It ends after the last allowed time.
const (
	forever = time.Duration(math.MaxInt64 / int64(time.Millisecond) * int64(time.Millisecond))
	theEnd  = state.LatestTime + 1
)

// calendarUnit is the length of calendar windows.
type calendarUnit string

const (
	day   calendarUnit = "daily"
	week  calendarUnit = "weekly"
	month calendarUnit = "monthly"
)

// rule describes windows whose sizes differ; it is empty for others.
func (w Windows) rule() string {
	switch {
	case w.kind == unlimitedWindows:
		return "unlimited from " + time.UnixMilli(w.from).UTC().Format(time.RFC3339Nano)
	case w.kind != calendarWindows:
		return ""
	case w.unit == week:
		return fmt.Sprintf("weekly from %v in %v", w.first, w.zone)
	}
	return fmt.Sprintf("%s in %v", w.unit, w.zone)
}

// checkRule returns the mistake in windows whose sizes differ.
func (w Windows) checkRule() error {
	switch {
	case w.kind == unlimitedWindows && w.grace != 0:
		return errors.New("an unlimited window never closes, so it has no grace")
	case w.kind == unlimitedWindows && (w.from < 0 || w.from > state.LatestTime):
		return fmt.Errorf("an unlimited window from %v: the start must be in the years 1970 to 2262", time.UnixMilli(w.from).UTC())
	case w.kind != calendarWindows:
		return nil
	case w.zone == nil || w.zone == time.Local || w.zone.String() == "":
		return fmt.Errorf("%s windows need a time zone with a name, the same on every machine: load it with time.LoadLocation", w.unit)
	case w.first < time.Sunday || w.first > time.Saturday:
		return fmt.Errorf("weekly windows from day %d: the days are 0, Sunday, to 6", int(w.first))
	}
	return nil
}

// endOf returns the end of the window that starts at a time.
func (w Windows) endOf(start time.Time) time.Time {
	switch {
	case w.kind == unlimitedWindows:
		return time.UnixMilli(theEnd).UTC()
	case w.checkRule() != nil: // Build has reported it
		return time.Time{}
	}
	return time.UnixMilli(w.period(start.UnixMilli()).end).UTC()
}

// calendarAssigner is the assigner of calendar windows. It remembers the last one, in which most records are.
func (w Windows) calendarAssigner() func(dst []interval, at int64) []interval {
	var last interval
	return func(dst []interval, at int64) []interval {
		if at < last.start || at >= last.end {
			last = w.period(at)
		}
		return append(dst, last)
	}
}

// period returns the calendar window of a time.
func (w Windows) period(at int64) interval {
	y, m, d := time.UnixMilli(at).In(w.zone).Date()
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for at < dayBegins(date, w.zone) { // the clocks went forward and back over midnight
		date = date.AddDate(0, 0, -1)
	}
	var next time.Time
	switch w.unit {
	case week:
		date = date.AddDate(0, 0, -(int(date.Weekday()-w.first)+7)%7)
		next = date.AddDate(0, 0, 7)
	case month:
		date = date.AddDate(0, 0, 1-date.Day())
		next = date.AddDate(0, 1, 0)
	default:
		next = date.AddDate(0, 0, 1)
	}
	return interval{dayBegins(date, w.zone), dayBegins(next, w.zone)}
}

// dayBegins returns the first instant from which no earlier local date comes again, in ms since 1970. The date is given
// as its midnight in UTC. (time.Date is another function: where midnight does not exist, it may return the day before.)
func dayBegins(date time.Time, zone *time.Location) int64 {
	const reach = 48 * time.Hour // more than any offset from UTC, and the date that Samoa left out
	begins, end := date.Add(-reach), date.Add(reach)
	for at := begins; at.Before(end); {
		_, offset := at.In(zone).Zone()
		_, until := at.In(zone).ZoneBounds() // of the period with this offset
		if until.IsZero() || until.After(end) {
			until = end
		}
		midnight := date.Add(-time.Duration(offset) * time.Second)
		if midnight.After(until) {
			midnight = until
		}
		if midnight.After(at) { // before it, this period has earlier dates
			begins = midnight
		}
		at = until
	}
	return begins.UnixMilli()
}
