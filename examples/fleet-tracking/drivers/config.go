package drivers

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Config says what a fleet holds its drivers to. The zero value runs; it knows no limit, and so tells of no overspeed.
type Config struct {
	// Zone is the time zone in which the days of drivers begin and end. Default: UTC.
	Zone *time.Location
	// Limits are the speeds above which a vehicle is too fast.
	Limits Limits
	// Tolerance is added to each limit, in km/h. Default: 5; negative: none.
	Tolerance float64
	// Late is how much older a fix may be than the latest of its vehicle. Older ones do not count. The fixes of so many days and one
	// more are kept, about 200 bytes each. Default: 7 days.
	Late time.Duration
	// Keep is how long the figures of a day are kept after it. Default: 60 days; negative: forever, for recordings of the past.
	Keep time.Duration
}

// Limits are speeds in km/h. No recording has the limits of roads, so these are what the fleet sets for itself. A limit of the
// vehicle or of the route replaces that of the fleet; of both, the lower counts.
type Limits struct {
	Fleet    float64            // 0: no limit
	Vehicles map[string]float64 // by vehicle
	Routes   map[string]float64 // by route
}

const (
	defaultTolerance = 5 // km/h

	// DefaultLate is the default of Config.Late.
	DefaultLate = fleet.MaxBehind
	// DefaultKeep is the default of Config.Keep.
	DefaultKeep = 60 * 24 * time.Hour
)

// withDefaults returns the settings with their defaults, or every mistake in them.
func (c Config) withDefaults() (Config, error) {
	var errs []error
	for name, limit := range c.Limits.all() {
		if limit <= 0 || math.IsNaN(limit) || math.IsInf(limit, 0) {
			errs = append(errs, fmt.Errorf("drivers: %s: %v is not a speed in km/h", name, limit))
		}
	}
	if math.IsNaN(c.Tolerance) || math.IsInf(c.Tolerance, 0) {
		errs = append(errs, fmt.Errorf("drivers: Tolerance is %v, but must be a speed in km/h", c.Tolerance))
	}
	if c.Late < 0 {
		errs = append(errs, fmt.Errorf("drivers: Late is %v, but must not be negative", c.Late))
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	c.Tolerance = max(0, cmp.Or(c.Tolerance, defaultTolerance))
	c.Late = cmp.Or(c.Late, DefaultLate)
	c.Keep = cmp.Or(c.Keep, DefaultKeep)
	if c.Keep > 0 && c.Keep < c.Late {
		errs = append(errs, fmt.Errorf("drivers: Keep is %v, less than Late, %v: a late fix would begin its day anew", c.Keep, c.Late))
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return c, errors.Join(errs...)
}

// all returns the limits that are given, by what they are called in errors.
func (l Limits) all() map[string]float64 {
	all := map[string]float64{}
	if l.Fleet != 0 {
		all["limit of the fleet"] = l.Fleet
	}
	for vehicle, limit := range l.Vehicles {
		all["limit of vehicle "+vehicle] = limit
	}
	for route, limit := range l.Routes {
		all["limit of route "+route] = limit
	}
	return all
}

// of returns the limit of a vehicle on a route in km/h, 0 if there is none.
func (l Limits) of(vehicle, route string) float64 {
	ofVehicle, byVehicle := l.Vehicles[vehicle]
	ofRoute, byRoute := l.Routes[route]
	switch {
	case byVehicle && byRoute:
		return min(ofVehicle, ofRoute)
	case byVehicle:
		return ofVehicle
	case byRoute:
		return ofRoute
	}
	return l.Fleet
}

// TopicConfig returns the settings of topic motoristas-dia: of each driver and day the latest value stays, for as long as Keep says.
func (c Config) TopicConfig() map[string]string {
	keep := cmp.Or(c.Keep, DefaultKeep)
	if keep < 0 {
		return map[string]string{"cleanup.policy": "compact", "retention.ms": "-1"}
	}
	return map[string]string{"cleanup.policy": "compact,delete", "retention.ms": strconv.FormatInt(keep.Milliseconds(), 10)}
}

// KeptFor returns the Config.Keep that the settings of topic motoristas-dia stand for. It fails if they have no number as retention.ms.
func KeptFor(topic map[string]string) (time.Duration, error) {
	if !strings.Contains(topic["cleanup.policy"], "delete") {
		return -1, nil
	}
	ms, err := strconv.ParseInt(topic["retention.ms"], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("drivers: retention.ms of topic %s: %w", Days.Name(), err)
	}
	if ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		return -1, nil
	}
	return max(DefaultLate, time.Duration(ms)*time.Millisecond), nil
}

// sheet returns the sheet of what a vehicle does at a moment.
func (c Config) sheet(vehicle string, at fleet.Instant, assigned fleet.Assignments) conduct.Sheet {
	now, _ := assigned.At(at)
	return conduct.SheetOf(now.Driver, vehicle, at.Time().In(c.Zone).Format("20060102"))
}

// point returns a fix with its limit and its sheet.
func (c Config) point(p fleet.Position, assigned fleet.Assignments, _ bool) conduct.Point {
	point := conduct.Point{Fix: p.Fix(), Ignition: p.Ignition, Sheet: c.sheet(p.Vehicle, p.Instant, assigned)}
	point.Odometer = nil
	if limit := c.Limits.of(p.Vehicle, p.Route); limit > 0 {
		point.Limit = (limit + c.Tolerance) / 3.6
	}
	return point
}

// call returns the grade of a visit for whoever drove when the vehicle left the timepoint, or came to the delivery. It has none as long
// as that is not known.
func (c Config) call(v fleet.Visit, assigned fleet.Assignments, _ bool) conduct.Entry {
	at := v.Left
	if v.Promise != nil {
		at = cmp.Or(v.Arrived, v.High)
	}
	grade, _ := conduct.GradeOf(v)
	return conduct.Entry{
		Sheet: c.sheet(v.Vehicle, at, assigned),
		Call:  &conduct.Call{Run: v.Run, Sequence: v.Sequence, Grade: grade},
	}
}

// stretch returns the entry of a fix that was compared with its route: its run and, if it belongs to one, its detour. A detour counts for the
// driver at its beginning.
func (c Config) stretch(d fleet.Deviation, assigned fleet.Assignments, _ bool) conduct.Entry {
	at, stretch := d.Instant, conduct.Stretch{Vehicle: d.Vehicle, Trip: d.Trip, Day: d.Day}
	if d.Episode != nil {
		at, stretch.Detour = d.Episode.First, d.Episode.First
	}
	return conduct.Entry{Sheet: c.sheet(d.Vehicle, at, assigned), Stretch: &stretch}
}
