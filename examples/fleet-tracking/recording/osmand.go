package recording

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// OsmAnd returns the position in the parameters of a request as the OsmAnd app, Traccar Client and many trackers send it
// (https://www.traccar.org/osmand/): id or deviceid, lat, lon, timestamp (seconds or milliseconds since 1970, or RFC 3339; now
// without one), speed in knots, bearing or heading in degrees, ignition true or false.
func OsmAnd(values url.Values, now time.Time) (fleet.Position, error) {
	p := fleet.Position{
		Vehicle: cmp.Or(values.Get("id"), values.Get("deviceid")),
		Instant: fleet.InstantOf(now), Arrival: fleet.InstantOf(now),
		Trip: values.Get("viagem"), Day: values.Get("data"), Start: values.Get("horario"),
	}
	if p.Vehicle == "" {
		return p, errors.New("parameter id is missing")
	}
	if at := values.Get("timestamp"); at != "" {
		var err error
		if p.Instant, err = timestamp(at); err != nil {
			return p, err
		}
	}
	for name, field := range map[string]**float64{
		"lat": &p.Lat, "lon": &p.Lon, "speed": &p.Speed, "bearing": &p.Bearing, "heading": &p.Bearing,
	} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		x, ok := finite(text)
		if !ok {
			return p, fmt.Errorf("parameter %s: %q is not a number", name, text)
		}
		*field = &x
	}
	if text := values.Get("ignition"); text != "" {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return p, fmt.Errorf("parameter ignition: %q is not true or false", text)
		}
		p.Ignition = &on
	}
	if p.Lat == nil || p.Lon == nil {
		return p, errors.New("parameters lat and lon are needed")
	}
	if p.Speed != nil {
		*p.Speed *= knot
	}
	return p, nil
}

// TraccarJSON returns the position in a JSON body as Traccar Client 9 and later send it: speed in m/s, time in RFC 3339.
func TraccarJSON(body []byte, now time.Time) (fleet.Position, error) {
	var message struct {
		Device   string `json:"device_id"`
		Location struct {
			Timestamp string `json:"timestamp"`
			Coords    struct {
				Latitude  *float64 `json:"latitude"`
				Longitude *float64 `json:"longitude"`
				Speed     *float64 `json:"speed"`
				Heading   *float64 `json:"heading"`
			} `json:"coords"`
		} `json:"location"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return fleet.Position{}, err
	}
	at := message.Location.Coords
	p := fleet.Position{
		Vehicle: message.Device, Instant: fleet.InstantOf(now), Arrival: fleet.InstantOf(now),
		Lat: at.Latitude, Lon: at.Longitude, Speed: known(at.Speed), Bearing: known(at.Heading),
	}
	if p.Vehicle == "" || p.Lat == nil || p.Lon == nil {
		return p, errors.New("device_id, location.coords.latitude and location.coords.longitude are needed")
	}
	if text := message.Location.Timestamp; text != "" {
		var err error
		if p.Instant, err = timestamp(text); err != nil {
			return p, err
		}
	}
	return p, nil
}

// known returns a number that phones set to -1 when they do not know it.
func known(x *float64) *float64 {
	if x == nil || *x < 0 {
		return nil
	}
	return x
}

// timestamp parses a time in seconds or milliseconds since 1970, or in RFC 3339.
func timestamp(text string) (fleet.Instant, error) {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < math.MaxInt64/1000 {
		if n > 1e11 { // milliseconds: as seconds, that is the year 5138
			return fleet.Instant(n), nil
		}
		return fleet.Instant(math.Round(n * 1000)), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("timestamp %q is not a time since 1970, nor like 2026-01-16T08:00:00Z", text)
	}
	return fleet.InstantOf(at), nil
}
