package recording

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// column is a name that a column may have, and what its values mean for a position.
type column struct {
	name  string
	field string // one word per meaning; the first column present of a field counts
	set   func(p *fleet.Position, value string) error
}

// columnsOf are the columns under the names that a file has for them.
func columnsOf(o Options) ([]column, error) {
	known := map[string]bool{}
	mapped := columnsIn(o.Zone)
	for i, c := range mapped {
		known[c.name] = true
		if name, ok := o.Columns[c.name]; ok {
			mapped[i].name = name
		}
	}
	for name := range o.Columns {
		if !known[name] {
			return nil, fmt.Errorf("recording: there is no column %s to give another name to; there are %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return mapped, nil
}

// columnsIn are the columns that are known, with times in a zone where they do not name one.
func columnsIn(zone *time.Location) []column {
	return []column{
		{"vehicle_id", "vehicle_id", text(func(p *fleet.Position) *string { return &p.Vehicle })},
		{"vehicle_timestamp", "vehicle_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Instant }, 1000, zone)},
		{"gps_ms", "vehicle_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Instant }, 1, zone)},
		{"lat", "lat", degrees(func(p *fleet.Position) **float64 { return &p.Lat })},
		{"lon", "lon", degrees(func(p *fleet.Position) **float64 { return &p.Lon })},
		{"seq", "seq", integer(func(p *fleet.Position) *int64 { return &p.Seq })},
		{"feed_timestamp", "feed_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Arrival }, 1000, zone)},
		{"capture_ms", "feed_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Arrival }, 1, zone)},
		{"route_id", "route_id", text(func(p *fleet.Position) *string { return &p.Route })},
		{"line", "route_id", text(func(p *fleet.Position) *string { return &p.Route })},
		{"trip_id", "trip_id", text(func(p *fleet.Position) *string { return &p.Trip })},
		{"trip_start_date", "trip_start_date", text(func(p *fleet.Position) *string { return &p.Day })},
		{"trip_start_time", "trip_start_time", text(func(p *fleet.Position) *string { return &p.Start })},
		{"speed_mps", "speed_mps", measure(func(p *fleet.Position) **float64 { return &p.Speed }, 1)},
		{"speed_kmh", "speed_mps", measure(func(p *fleet.Position) **float64 { return &p.Speed }, 1/3.6)},
		{"bearing", "bearing", measure(func(p *fleet.Position) **float64 { return &p.Bearing }, 1)},
		{"heading_deg", "bearing", measure(func(p *fleet.Position) **float64 { return &p.Bearing }, 1)},
		{"ignition", "ignition", boolean(func(p *fleet.Position) **bool { return &p.Ignition })},
		{"odometer_m", "odometer_m", measure(func(p *fleet.Position) **float64 { return &p.Odometer }, 1)},
		{"odometer_km", "odometer_m", measure(func(p *fleet.Position) **float64 { return &p.Odometer }, 1000)},
	}
}

func text(field func(*fleet.Position) *string) func(*fleet.Position, string) error {
	return func(p *fleet.Position, value string) error {
		*field(p) = strings.Clone(value)
		return nil
	}
}

func integer(field func(*fleet.Position) *int64) func(*fleet.Position, string) error {
	return func(p *fleet.Position, value string) error {
		if value == "" {
			return nil
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errors.New("a whole number")
		}
		*field(p) = n
		return nil
	}
}

// instant parses a time: a number of units of so many milliseconds since 1970, which may have decimals, or a date and a time of day,
// with a zone (RFC 3339) or in the zone given.
func instant(field func(*fleet.Position) *fleet.Instant, milliseconds int64, zone *time.Location) func(*fleet.Position, string) error {
	return func(p *fleet.Position, value string) error {
		if value == "" {
			return nil
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			*field(p) = fleet.Instant(n * milliseconds)
			return nil
		}
		if x, ok := finite(value); ok {
			*field(p) = fleet.Instant(math.Round(x * float64(milliseconds)))
			return nil
		}
		for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02T15:04:05"} {
			if at, err := time.ParseInLocation(layout, value, zone); err == nil {
				*field(p) = fleet.InstantOf(at)
				return nil
			}
		}
		return errors.New("a time since 1970 in seconds (or milliseconds in a column named _ms), or a time like 2006-01-02 15:04:05")
	}
}

func degrees(field func(*fleet.Position) **float64) func(*fleet.Position, string) error {
	return quantity(field, 1, errors.New("a number of degrees"))
}

func measure(field func(*fleet.Position) **float64, unit float64) func(*fleet.Position, string) error {
	return quantity(field, unit, errors.New("a number"))
}

func quantity(field func(*fleet.Position) **float64, unit float64, otherwise error) func(*fleet.Position, string) error {
	return func(p *fleet.Position, value string) error {
		if value == "" {
			return nil
		}
		x, ok := finite(value)
		if !ok {
			return otherwise
		}
		x *= unit
		*field(p) = &x
		return nil
	}
}

func boolean(field func(*fleet.Position) **bool) func(*fleet.Position, string) error {
	return func(p *fleet.Position, value string) error {
		if value == "" {
			return nil
		}
		x, err := strconv.ParseBool(value)
		if err != nil {
			return errors.New("1 or 0, true or false")
		}
		*field(p) = &x
		return nil
	}
}

func finite(value string) (float64, bool) {
	x, err := strconv.ParseFloat(value, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}
