package recording

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// column is a name that a column may have, and what its values mean for a position.
type column struct {
	name  string
	field string // one word per meaning; the first column present of a field counts
	set   func(p *fleet.Position, value string) error
}

var columns = []column{
	{"vehicle_id", "vehicle_id", text(func(p *fleet.Position) *string { return &p.Vehicle })},
	{"vehicle_timestamp", "vehicle_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Instant }, 1000)},
	{"gps_ms", "vehicle_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Instant }, 1)},
	{"lat", "lat", degrees(func(p *fleet.Position) **float64 { return &p.Lat })},
	{"lon", "lon", degrees(func(p *fleet.Position) **float64 { return &p.Lon })},
	{"seq", "seq", integer(func(p *fleet.Position) *int64 { return &p.Seq })},
	{"feed_timestamp", "feed_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Arrival }, 1000)},
	{"capture_ms", "feed_timestamp", instant(func(p *fleet.Position) *fleet.Instant { return &p.Arrival }, 1)},
	{"route_id", "route_id", text(func(p *fleet.Position) *string { return &p.Route })},
	{"line", "route_id", text(func(p *fleet.Position) *string { return &p.Route })},
	{"trip_id", "trip_id", text(func(p *fleet.Position) *string { return &p.Trip })},
	{"trip_start_date", "trip_start_date", text(func(p *fleet.Position) *string { return &p.Day })},
	{"trip_start_time", "trip_start_time", text(func(p *fleet.Position) *string { return &p.Start })},
	{"speed_mps", "speed_mps", measure(func(p *fleet.Position) **float64 { return &p.Speed }, 1)},
	{"speed_kmh", "speed_mps", measure(func(p *fleet.Position) **float64 { return &p.Speed }, 1/3.6)},
	{"bearing", "bearing", measure(func(p *fleet.Position) **float64 { return &p.Bearing }, 1)},
	{"heading_deg", "bearing", measure(func(p *fleet.Position) **float64 { return &p.Bearing }, 1)},
	{"odometer_m", "odometer_m", measure(func(p *fleet.Position) **float64 { return &p.Odometer }, 1)},
	{"odometer_km", "odometer_m", measure(func(p *fleet.Position) **float64 { return &p.Odometer }, 1000)},
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

// instant parses a time that is counted in units of so many milliseconds; the units may have decimals.
func instant(field func(*fleet.Position) *fleet.Instant, milliseconds int64) func(*fleet.Position, string) error {
	return func(p *fleet.Position, value string) error {
		if value == "" {
			return nil
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			*field(p) = fleet.Instant(n * milliseconds)
			return nil
		}
		x, ok := finite(value)
		if !ok {
			return errors.New("a time since 1970 in seconds (or milliseconds in a column named _ms)")
		}
		*field(p) = fleet.Instant(math.Round(x * float64(milliseconds)))
		return nil
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

func finite(value string) (float64, bool) {
	x, err := strconv.ParseFloat(value, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}
