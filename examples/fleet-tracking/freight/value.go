package freight

import (
	"strconv"
	"time"

	"github.com/paulmach/orb"
)

// The kinds of numbers, for errors about a value that is none.
const (
	latitude  = "a latitude from -90 to 90"
	longitude = "a longitude from -180 to 180"
	metres    = "a number of metres from 1 to 100000"
	seconds   = "a number of seconds from 1 to 86400"
	rank      = "a number from 0 upwards"
)

func parseNumber(text string, low, high float64) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && x >= low && x <= high
}

// point returns the place in columns lat and lon.
func (t *table) point() orb.Point {
	if t.need("lat") == "" || t.need("lon") == "" {
		return orb.Point{}
	}
	known := len(t.found)
	p := orb.Point{t.number("lon", longitude, -180, 180), t.number("lat", latitude, -90, 90)}
	if p == (orb.Point{}) && len(t.found) == known {
		t.at(t.place(), "%s and %s are 0: no place", t.name("lat"), t.name("lon"))
	}
	return p
}

// inRange reports whether a place is on the globe. Longitude comes first.
func inRange(p orb.Point) bool {
	return p.Lon() >= -180 && p.Lon() <= 180 && p.Lat() >= -90 && p.Lat() <= 90
}

// How times may be written.
var (
	zoned   = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00"}
	local   = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"}
	ofDay   = []string{"15:04:05", "15:04"}
	dayOnly = "2006-01-02"
)

// moment is a time in a file.
type moment struct {
	time.Time
	ofDay bool // the file gives the time of day only
}

// moment returns the time in a column; false, and a mistake is told, where it is none.
func (t *table) moment(column string, otherwise *time.Location) (moment, bool) {
	value := t.text(column)
	for _, format := range zoned {
		if at, err := time.Parse(format, value); err == nil {
			return moment{Time: at}, true
		}
	}
	zone, known := t.zone(otherwise)
	if !known {
		return moment{}, false
	}
	date := t.text("date")
	for _, format := range append(local, ofDay...) {
		if _, err := time.Parse(format, value); err != nil {
			continue
		}
		if zone == nil {
			t.at(t.place(), "%s %q has no zone: write it like 2026-03-02T08:00:00-03:00, add a column zone, or give a time zone for all", t.name(column), value)
			return moment{}, false
		}
		if len(format) > len(ofDay[0]) {
			at, err := time.ParseInLocation(format, value, zone)
			return moment{Time: at}, err == nil
		}
		at, err := time.ParseInLocation(dayOnly+" "+format, date+" "+value, zone)
		switch {
		case err == nil:
			return moment{at, true}, true
		case date == "":
			t.at(t.place(), "%s %q has no day: write it like 2026-03-02T08:00:00-03:00, or add a column date", t.name(column), value)
		default:
			t.at(t.place(), "%s %q is not a day like 2026-03-02", t.name("date"), date)
		}
		return moment{}, false
	}
	t.at(t.place(), "%s %q is not a time like 2026-03-02T08:00:00-03:00", t.name(column), value)
	return moment{}, false
}

// zone returns the time zone of the row, nil where none is given.
func (t *table) zone(otherwise *time.Location) (*time.Location, bool) {
	name := t.text("zone")
	if name == "" {
		return otherwise, true
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		t.at(t.place(), "%s %q is not a time zone like America/Sao_Paulo", t.name("zone"), name)
		return nil, false
	}
	return zone, true
}

// span returns the times in two columns. Where the second is a time of day before the first, it is on the day after.
func (t *table) span(from, to string, zone *time.Location) (start, end time.Time, ok bool) {
	first, ok1 := t.moment(from, zone)
	last, ok2 := first, ok1
	if to != from {
		last, ok2 = t.moment(to, zone)
	}
	if !ok1 || !ok2 {
		return time.Time{}, time.Time{}, false
	}
	if last.ofDay && last.Before(first.Time) {
		last.Time = last.AddDate(0, 0, 1)
	}
	if last.Before(first.Time) {
		t.at(t.place(), "%s %q is before %s %q", t.name(to), t.text(to), t.name(from), t.text(from))
		return time.Time{}, time.Time{}, false
	}
	return first.Time, last.Time, true
}
