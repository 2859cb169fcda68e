package fleet

import (
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// Instant is a moment in milliseconds since 1970 UTC, the resolution of a Kafka timestamp.
type Instant int64

// InstantOf is t, cut to the millisecond.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMilli()) }

// Seconds is the instant that lies s seconds after 1970 UTC.
func Seconds(s int64) Instant { return Instant(s * 1000) }

// Time is the same moment as a time.Time in UTC.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).UTC() }

// Unix is the number of seconds since 1970 UTC.
func (i Instant) Unix() float64 { return float64(i) / 1000 }

// Since is the number of seconds from earlier to i.
func (i Instant) Since(earlier Instant) float64 { return float64(i-earlier) / 1000 }

// Position is what a vehicle sends: the value of topic localizacao-veiculos, whose key is the vehicle.
//
// Latitude and longitude are WGS84 degrees, nil when the vehicle had none. Speed, bearing, odometer and ignition are nil when the
// vehicle does not say. Trip, Day and Start are empty while the vehicle
// is not on a trip. Arrival is 0 when nobody noted it.
type Position struct {
	Vehicle  string   `json:"veiculo"` // that of the key counts
	Route    string   `json:"linha,omitempty"`
	Trip     string   `json:"viagem,omitempty"`
	Day      string   `json:"data,omitempty"`    // service day of the trip, YYYYMMDD
	Start    string   `json:"horario,omitempty"` // planned start of the trip, HH:MM:SS of the service day
	Lat      *float64 `json:"lat,omitempty"`
	Lon      *float64 `json:"lon,omitempty"`
	Speed    *float64 `json:"velocidade,omitempty"` // reported by the vehicle, m/s
	Bearing  *float64 `json:"rumo,omitempty"`       // degrees from north
	Odometer *float64 `json:"hodometro,omitempty"`  // metres
	Ignition *bool    `json:"ignicao,omitempty"`    // whether the engine is on
	Instant  Instant  `json:"instante"`             // event time: when the vehicle took the fix
	Arrival  Instant  `json:"chegada,omitempty"`    // when it reached the recorder
	Seq      int64    `json:"seq,omitempty"`        // running number in order of arrival
}

// Time is the event time.
func (p Position) Time() time.Time { return p.Instant.Time() }

// HasSpeed reports whether the vehicle sent its speed.
func (p Position) HasSpeed() bool { return p.Speed != nil }

// OnTrip reports whether the vehicle says which trip it is on.
func (p Position) OnTrip() bool { return p.Trip != "" }

// TripFamily is the key under which topic viagens has the trip.
func (p Position) TripFamily() string { return FamilyOf(p.Trip) }

// Run names what a Tracker follows: one vehicle on one trip of one service day.
func (p Position) Run() string { return p.Vehicle + "|" + p.Trip + "|" + p.Day }

// Point is the place of a fix as orb has it: longitude first.
func (p Position) Point() orb.Point { return orb.Point{*p.Lon, *p.Lat} }

// FamilyOf is the part a:b of a trip id a:b:c, and any other id as it is. The block c is re-planned during the day, so that a
// vehicle may report a trip id which the timetable has with another block.
func FamilyOf(trip string) string {
	first := strings.IndexByte(trip, ':')
	if first < 0 {
		return trip
	}
	second := strings.IndexByte(trip[first+1:], ':')
	if second < 0 {
		return trip
	}
	return trip[:first+1+second]
}
