package fleet

import (
	"cmp"
	"sort"
	"time"

	"github.com/paulmach/orb"
)

// Trip is a planned run: its path and when it is due at its stops. Nobody changes a Trip once it is made, so it may be shared.
type Trip struct {
	ID       string
	Route    string
	Headsign string
	Zone     string // IANA time zone
	Shape    Shape
	Stops    []Stop
	Path     string // the id of its path

	// Frequency is set for a trip of frequencies.txt, which runs several times a day. The times of such a trip count from the
	// departure at its first stop.
	Frequency Frequency

	// Untimed is set for a trip whose stops have no planned times, as that of a freight vehicle: its customers have promised windows
	// only. No run of it is ahead of its plan or behind it, and it writes nothing to topic atrasos.
	Untimed  bool
	Corridor float64     // metres from the line within which a vehicle is on its route; 0: 100
	Yards    []orb.Point // depots and fuel stations: within 200 m of one no vehicle is off its route
}

// corridor is how far from the line a vehicle is still on its route, in metres.
func (t *Trip) corridor() float64 { return cmp.Or(t.Corridor, offRoute) }

// hasDelays reports whether an arrival at a stop can be early or late.
func (t *Trip) hasDelays() bool { return t.Frequency != Headway && !t.Untimed }

// Frequency says whether the runs of a trip of frequencies.txt have a timetable.
type Frequency string

const (
	Exact   Frequency = "horario"   // exact_times = 1: the runs start at fixed times
	Headway Frequency = "intervalo" // exact_times = 0: the runs keep a distance in time, so no run is late
)

// Stop is a call of a trip, in the order of the trip. Due and Leaves count seconds from noon minus 12 hours of the service
// day, and go beyond 24 hours for trips that pass midnight. They are 0 in a Path, which trips of many times share.
type Stop struct {
	Sequence  int     `json:"sequencia"`
	ID        string  `json:"parada"`
	Name      string  `json:"nome,omitempty"`
	Lat       float64 `json:"lat,omitempty"`
	Lon       float64 `json:"lon,omitempty"`
	Along     float64 `json:"distancia"`                 // metres along the line
	Due       int     `json:"chegada,omitempty"`         // planned arrival, in seconds from noon minus 12 hours of the service day
	Leaves    int     `json:"partida,omitempty"`         // planned departure, likewise
	Timepoint bool    `json:"pontoDeControle,omitempty"` // the timetable's times are exact here

	Radius  float64  `json:"raio,omitempty"`        // metres around the stop that count as being there; 0: 50
	Promise *Promise `json:"promessa,omitempty"`    // of a delivery
	OffLine bool     `json:"foraDaLinha,omitempty"` // the line does not pass within the radius: a vehicle is there by the radius alone
}

// Point is where the stop is, longitude first.
func (s Stop) Point() orb.Point { return orb.Point{s.Lon, s.Lat} }

// radius is how near to the stop's point a vehicle is there, in metres.
func (s Stop) radius() float64 { return cmp.Or(s.Radius, stopRadius) }

// holds reports whether a point lies within the radius of the stop.
func (s Stop) holds(p orb.Point) bool { return Haversine(p, s.Point()) <= s.radius() }

// scheduled is when a vehicle on time is at a place along the shape, in seconds of the service day: from its arrival at a stop to its
// departure there, both the same away from stops. False for a trip without stops or without times.
func (t *Trip) scheduled(along float64) (from, to float64, ok bool) {
	n := len(t.Stops)
	if n == 0 || t.Untimed {
		return 0, 0, false
	}
	next := sort.Search(n, func(i int) bool { return t.Stops[i].Along >= along })
	switch {
	case next == n:
		last := t.Stops[n-1]
		return float64(last.Due), float64(last.Leaves), true
	case next == 0 || t.Stops[next].Along == along:
		stop := t.Stops[next]
		return float64(stop.Due), float64(stop.Leaves), true
	}
	before, after := t.Stops[next-1], t.Stops[next]
	part := (along - before.Along) / (after.Along - before.Along)
	at := float64(before.Leaves) + part*float64(after.Due-before.Leaves)
	return at, at, true
}

// hour is the local hour of a moment.
func (t *Trip) hour(at Instant) int {
	zone, err := location(t.Zone)
	if err != nil {
		zone = time.UTC
	}
	return at.Time().In(zone).Hour()
}
