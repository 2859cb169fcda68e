package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// board is the latest of each vehicle, as the derived topics tell it. One goroutine uses it.
type board struct {
	zone     *time.Location
	address  string        // of the broker
	now      fleet.Instant // the newest event time
	engine   string        // what keeps the results from being up to date; see condition
	vehicles map[string]*vehicle
	episodes int
	arrivals int
}

// vehicle is a line of the board.
type vehicle struct {
	name      string
	route     string
	trip      string
	window    time.Time // of mean
	mean      float64   // m/s
	reported  bool      // the vehicle reports its speed, and mean is of that
	away      *float64  // metres from the route, while off it
	delay     *float64  // seconds
	along     float64
	length    float64
	next      string
	nextAhead float64
}

const (
	lateFrom  = 180 * time.Second // what counts as late
	earlyFrom = 60 * time.Second  // and as early
)

func newBoard(zone, address string) *board {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	return &board{zone: location, address: address, vehicles: map[string]*vehicle{}}
}

func (b *board) vehicle(name string) *vehicle {
	v := b.vehicles[name]
	if v == nil {
		v = &vehicle{name: name}
		b.vehicles[name] = v
	}
	return v
}

func (b *board) speed(name string, window time.Time, s fleet.Speed) {
	v := b.vehicle(name)
	if !window.Before(v.window) {
		v.window, v.mean, v.reported = window, s.Mean, true
	}
}

// motion serves vehicles that do not report their speed.
func (b *board) motion(name string, window time.Time, s fleet.PositionSpeed) {
	v := b.vehicle(name)
	b.now = max(b.now, fleet.InstantOf(window))
	if !v.reported && s.Speed != nil && !window.Before(v.window) {
		v.window, v.mean = window, *s.Speed
	}
}

func (b *board) deviation(d fleet.Deviation) {
	v := b.vehicle(d.Vehicle)
	b.now = max(b.now, d.Instant)
	v.route = d.Route
	v.away = nil
	if d.Episode != nil {
		v.away = &d.Distance
		if d.Episode.Fixes == 2 {
			b.episodes++
		}
	}
}

func (b *board) arrival(fleet.Arrival) { b.arrivals++ }

func (b *board) progress(p fleet.Progress) {
	v := b.vehicle(p.Vehicle)
	v.route, v.trip = p.Route, p.Trip
	v.delay, v.along, v.length = p.Delay, p.Along, p.Length
	v.next, v.nextAhead = "", 0
	if p.Next != nil {
		v.next, v.nextAhead = cmp.Or(p.Next.Name, p.Next.Stop), p.Next.Ahead
	}
}

func (v *vehicle) late() bool { return v.delay != nil && *v.delay >= lateFrom.Seconds() }

// punctuality is "4 min late", "on time", "2 min early", or nothing before the first stop.
func (v *vehicle) punctuality() string {
	if v.delay == nil {
		return ""
	}
	minutes := *v.delay / 60
	switch {
	case v.late():
		return fmt.Sprintf("%.0f min late", minutes)
	case -*v.delay >= earlyFrom.Seconds():
		return fmt.Sprintf("%.0f min early", -minutes)
	}
	return "on time"
}

// notable orders vehicles: those off the route first, then the late, and by name.
func notable(a, b *vehicle) int {
	rank := func(v *vehicle) int {
		switch {
		case v.away != nil:
			return 0
		case v.late():
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.name, b.name))
}

func byName(a, b *vehicle) int { return cmp.Compare(a.name, b.name) }

// sorted are the vehicles by name; if there is no room for all, the notable ones first.
func (b *board) sorted(room int) []*vehicle {
	all := make([]*vehicle, 0, len(b.vehicles))
	for _, v := range b.vehicles {
		all = append(all, v)
	}
	order := byName
	if len(all) > room {
		order = notable
	}
	slices.SortFunc(all, order)
	return all
}

// headline is the state of the fleet in one line.
func (b *board) headline() string { return strings.Join(b.phrases(), " ") }

// phrases are the state of the fleet in a few words each, between which a line may break.
func (b *board) phrases() []string {
	if b.now == 0 {
		return b.remarked([]string{"Waiting for positions."})
	}
	off, late := 0, 0
	for _, v := range b.vehicles {
		if v.away != nil {
			off++
		}
		if v.late() {
			late++
		}
	}
	return b.remarked([]string{
		b.now.Time().In(b.zone).Format("2006-01-02 15:04:05") + " ",
		fmt.Sprintf("%d vehicles,", len(b.vehicles)), fmt.Sprintf("%d off their route,", off), fmt.Sprintf("%d late;", late),
		fmt.Sprintf("so far %d off-route episodes,", b.episodes), fmt.Sprintf("%d arrivals", b.arrivals),
	})
}

// remarked adds the condition of the engine in parentheses, if there is something to say.
func (b *board) remarked(phrases []string) []string {
	if b.engine == "" {
		return phrases
	}
	return append(phrases, "("+b.engine+")")
}

// line is headline and who is off the route or late.
func (b *board) line() string {
	var who []string
	vehicles := b.sorted(len(b.vehicles))
	slices.SortFunc(vehicles, notable)
	for _, v := range vehicles {
		switch {
		case v.away != nil:
			who = append(who, fmt.Sprintf("%s %.0f m off", v.name, *v.away))
		case v.late():
			who = append(who, v.name+" "+v.punctuality())
		}
	}
	if len(who) > 8 {
		who = append(who[:8], fmt.Sprintf("and %d more", len(who)-8))
	}
	if who == nil {
		return b.headline()
	}
	return b.headline() + ": " + strings.Join(who, ", ")
}
