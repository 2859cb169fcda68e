package fleet

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // service days must not depend on what the machine has installed
)

// calendar is what the days of a trip follow from.
type calendar struct {
	trip, zone string
	frequent   bool // of frequencies.txt
	leaves     int  // the first stop, in seconds as in Stop
	middle     int  // of the trip's time on the way
}

// newCalendar takes the times of a trip at its stops, of which there may be none.
func newCalendar(trip, zone string, frequency Frequency, stops int, at func(i int) Times) calendar {
	if stops == 0 {
		return calendar{trip: trip, zone: zone, middle: 12 * 3600}
	}
	first, last := at(0), at(stops-1)
	return calendar{trip: trip, zone: zone, frequent: frequency != "", leaves: first[1], middle: (first[0] + last[0]) / 2}
}

func (t *Trip) calendar() calendar {
	if t.Untimed {
		return newCalendar(t.ID, t.Zone, "", 0, nil)
	}
	return newCalendar(t.ID, t.Zone, t.Frequency, len(t.Stops), func(i int) Times { return Times{t.Stops[i].Due, t.Stops[i].Leaves} })
}

func (s *Schedule) calendar() calendar {
	if s.Untimed {
		return newCalendar(s.ID, s.Zone, "", 0, nil)
	}
	return newCalendar(s.ID, s.Zone, s.Frequency, len(s.Times), func(i int) Times { return s.Times[i] })
}

// shift is how much later than the timetable says a run of the trip is planned that starts at a time HH:MM:SS of the service
// day: 0, except for a trip of frequencies.txt. It fails if such a trip has no start.
func (c calendar) shift(start string) (Instant, error) {
	if !c.frequent {
		return 0, nil
	}
	second, err := secondOfDay(start)
	if err != nil {
		return 0, fmt.Errorf("fleet: trip %s of frequencies.txt: %w", c.trip, err)
	}
	return Seconds(int64(second - c.leaves)), nil
}

// secondOfDay parses a time H:MM:SS of a service day. It may be beyond 24:00:00.
func secondOfDay(text string) (int, error) {
	second := 0
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, fmt.Errorf("start %q is not H:MM:SS", text)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || i > 0 && n > 59 {
			return 0, fmt.Errorf("start %q is not H:MM:SS", text)
		}
		second = second*60 + int(n)
	}
	return second, nil
}

// dayFormat is how a service day is written, for package time.
const dayFormat = "20060102"

// dayStart is the moment from which the times of a service day (YYYYMMDD) count: noon minus 12 hours in the time zone of the
// trip. That is midnight, except on the days on which clocks are put forward or back.
func (c calendar) dayStart(day string) (Instant, error) {
	zone, err := location(c.zone)
	if err != nil {
		return 0, fmt.Errorf("fleet: time zone of trip %s: %w", c.trip, err)
	}
	date, err := time.Parse(dayFormat, day)
	if err != nil {
		return 0, fmt.Errorf("fleet: service day %q of trip %s is not YYYYMMDD", day, c.trip)
	}
	noon := time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, zone)
	return InstantOf(noon.Add(-12 * time.Hour)), nil
}

// dayAt is the service day on which a vehicle that is on the trip now most likely drives it: the one whose planned run lies
// nearest. It serves vehicles that do not say.
func (c calendar) dayAt(now Instant) (string, error) {
	zone, err := location(c.zone)
	if err != nil {
		return "", fmt.Errorf("fleet: time zone of trip %s: %w", c.trip, err)
	}
	noon := now.Time().Add(time.Duration(12*3600-c.middle) * time.Second)
	return noon.In(zone).Format(dayFormat), nil
}

// locations are the time zones in use, by name: to load one takes longer than all else that is done with a fix.
var locations sync.Map

func location(name string) (*time.Location, error) {
	if zone, ok := locations.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	locations.Store(name, zone)
	return zone, nil
}
