package fleet

import (
	"cmp"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // service days must not depend on what the machine has installed

	"github.com/paulmach/orb"
)

// Timetable is the value of topic viagens: all trips of one family, sorted by id.
type Timetable struct {
	Trips []*Trip `json:"viagens"`
}

// Trip finds the trip that a vehicle reports: the one of exactly that id, else the first of its family; nil when there is none.
func (t Timetable) Trip(id string) *Trip {
	for _, trip := range t.Trips {
		if trip.ID == id {
			return trip
		}
	}
	if len(t.Trips) == 0 || FamilyOf(t.Trips[0].ID) != FamilyOf(id) {
		return nil
	}
	return t.Trips[0]
}

// Planned is a fix and the trip it belongs to; Trip is nil when the timetable does not know it. Before and Ends are those of RunFix.
type Planned struct {
	Position
	Trip   *Trip
	Before *Position
	Ends   bool
	Fault  Reason // why the trip is not known
}

// On looks up the trip that the vehicle reports. A vehicle that does not say which service day it drives gets the likeliest; one that
// says something else than a day is on no known trip. Nor is one on a trip that runs several times a day, if it does not say
// when it started.
func (p Position) On(timetable Timetable) Planned {
	trip := timetable.Trip(p.Trip)
	if trip == nil {
		return Planned{Position: p, Fault: UnknownTrip}
	}
	shift, err := trip.shift(p.Start)
	if err != nil {
		return Planned{Position: p, Fault: UnknownTrip}
	}
	if p.Day == "" {
		p.Day, _ = trip.DayAt(p.Instant - shift)
	}
	if _, err := trip.DayStart(p.Day); err != nil {
		return Planned{Position: p, Fault: BadDay}
	}
	return Planned{Position: p, Trip: trip}
}

// Known reports whether the timetable knows the trip.
func (p Planned) Known() bool { return p.Trip != nil }

// Own reports whether the vehicle took the fix on the run, not after it.
func (p Planned) Own() bool { return !p.Ends }

// Origin is the moment from which the times of the run count: the start of its service day, later by the time at which a
// trip of frequencies.txt started. It fails if the service day is not one.
func (p Planned) Origin() (Instant, error) {
	dayStart, err := p.Trip.DayStart(p.Day)
	if err != nil {
		return 0, err
	}
	shift, err := p.Trip.shift(p.Start)
	return dayStart + shift, err
}

// Named names the run.
func (p Planned) Named() Run {
	run := Run{Vehicle: p.Vehicle, Route: p.Trip.Route, Trip: p.Position.Trip, Day: p.Day}
	if p.Trip.Frequency != "" {
		run.Start = p.Start
	}
	return run
}

// Key is the name of the run as a key of a store.
func (p Planned) Key() string {
	key := p.Position.Run()
	if p.Trip.Frequency != "" {
		key += "|" + p.Start
	}
	return key
}

// Trip is a planned run: its path and when it is due at its stops. Nobody changes a Trip once it is made, so it may be shared.
type Trip struct {
	ID       string `json:"viagem"`
	Route    string `json:"linha,omitempty"`
	Headsign string `json:"destino,omitempty"`
	Zone     string `json:"fuso"`
	Shape    Shape  `json:"forma,omitempty"`
	Stops    []Stop `json:"paradas"`

	// Frequency is set for a trip of frequencies.txt, which runs several times a day. The times of such a trip count from the
	// departure at its first stop.
	Frequency Frequency `json:"frequencia,omitempty"`

	// Untimed is set for a trip whose stops have no planned times, as that of a freight vehicle: its customers have promised windows
	// only. No run of it is ahead of its plan or behind it, and it writes nothing to topic atrasos.
	Untimed  bool        `json:"semHorario,omitempty"`
	Corridor float64     `json:"corredor,omitempty"` // metres from the line within which a vehicle is on its route; 0: 100
	Yards    []orb.Point `json:"patios,omitempty"`   // depots and fuel stations: within 200 m of one no vehicle is off its route
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
// day, and go beyond 24 hours for trips that pass midnight.
type Stop struct {
	Sequence  int     `json:"sequencia"`
	ID        string  `json:"parada"`
	Name      string  `json:"nome,omitempty"`
	Lat       float64 `json:"lat,omitempty"`
	Lon       float64 `json:"lon,omitempty"`
	Along     float64 `json:"distancia"` // metres along the line
	Due       int     `json:"chegada"`
	Leaves    int     `json:"partida"`
	Timepoint bool    `json:"pontoDeControle,omitempty"` // the timetable's times are exact here

	Radius  float64  `json:"raio,omitempty"`        // metres around the stop that count as being there; 0: 50
	Promise *Promise `json:"promessa,omitempty"`    // of a delivery
	OffLine bool     `json:"foraDaLinha,omitempty"` // the line does not pass within the radius: a vehicle is there by the radius alone
}

// Point is where the stop is, longitude first.
func (s Stop) Point() orb.Point { return orb.Point{s.Lon, s.Lat} }

// radius is how near to the stop's point a vehicle is there, in metres.
func (s Stop) radius() float64 { return cmp.Or(s.Radius, stopRadius) }

// shift is how much later than the timetable says a run of the trip is planned that starts at a time HH:MM:SS of the service
// day: 0, except for a trip of frequencies.txt. It fails if such a trip has no start.
func (t *Trip) shift(start string) (Instant, error) {
	if t.Frequency == "" || len(t.Stops) == 0 {
		return 0, nil
	}
	second, err := secondOfDay(start)
	if err != nil {
		return 0, fmt.Errorf("fleet: trip %s of frequencies.txt: %w", t.ID, err)
	}
	return Seconds(int64(second - t.Stops[0].Leaves)), nil
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

// hour is the local hour of a moment.
func (t *Trip) hour(at Instant) int {
	zone, err := location(t.Zone)
	if err != nil {
		zone = time.UTC
	}
	return at.Time().In(zone).Hour()
}

// dayFormat is how a service day is written, for package time.
const dayFormat = "20060102"

// DayStart is the moment from which the times of a service day (YYYYMMDD) count: noon minus 12 hours in the time zone of the
// trip. That is midnight, except on the days on which clocks are put forward or back.
func (t *Trip) DayStart(day string) (Instant, error) {
	zone, err := location(t.Zone)
	if err != nil {
		return 0, fmt.Errorf("fleet: time zone of trip %s: %w", t.ID, err)
	}
	date, err := time.Parse(dayFormat, day)
	if err != nil {
		return 0, fmt.Errorf("fleet: service day %q of trip %s is not YYYYMMDD", day, t.ID)
	}
	noon := time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, zone)
	return InstantOf(noon.Add(-12 * time.Hour)), nil
}

// DayAt is the service day on which a vehicle that is on the trip now most likely drives it: the one whose planned run lies
// nearest. It serves vehicles that do not say.
func (t *Trip) DayAt(now Instant) (string, error) {
	zone, err := location(t.Zone)
	if err != nil {
		return "", fmt.Errorf("fleet: time zone of trip %s: %w", t.ID, err)
	}
	middle := 12 * 3600
	if n := len(t.Stops); n > 0 && !t.Untimed {
		middle = (t.Stops[0].Due + t.Stops[n-1].Due) / 2
	}
	noon := now.Time().Add(time.Duration(12*3600-middle) * time.Second)
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
