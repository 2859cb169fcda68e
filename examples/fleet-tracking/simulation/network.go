package simulation

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
)

// Zone is the time zone of the network.
const Zone = "America/Maceio"

const (
	stopSpacing  = 450.0       // metres between stops
	plannedSpeed = 6.5         // m/s with halts, by the timetable
	layover      = 6 * 60      // seconds at the end of a trip, by the timetable
	firstTrip    = 5 * 3600    // seconds of the service day
	lastTrip     = 24*3600 - 1 // the last trip of a bus begins before, and may end after midnight
	mostBlocks   = 60          // duties in the timetable; a larger fleet drives them twice
)

// line is a route with the points it goes through, longitude and latitude. A circular line has no way back.
type line struct {
	id, name string
	circular bool
	through  []orb.Point
}

var lines = []line{
	{id: "001", name: "Zona Sul / Centro", through: []orb.Point{
		{-37.0530, -10.9860},
		{-37.0490, -10.9760},
		{-37.0540, -10.9660},
		{-37.0520, -10.9560},
		{-37.0560, -10.9450},
		{-37.0510, -10.9330},
		{-37.0480, -10.9210},
		{-37.0500, -10.9100},
	}},
	{id: "002", name: "Campus / Centro", through: []orb.Point{
		{-37.1030, -10.9260},
		{-37.0940, -10.9290},
		{-37.0850, -10.9240},
		{-37.0760, -10.9200},
		{-37.0690, -10.9130},
		{-37.0600, -10.9140},
		{-37.0500, -10.9100},
	}},
	// The circular line crosses itself in the middle, like an eight.
	{id: "003", name: "Circular Jardins", circular: true, through: []orb.Point{
		{-37.0560, -10.9450},
		{-37.0500, -10.9390},
		{-37.0500, -10.9300},
		{-37.0560, -10.9250},
		{-37.0620, -10.9300},
		{-37.0620, -10.9390},
		{-37.0560, -10.9450},
		{-37.0500, -10.9510},
		{-37.0500, -10.9600},
		{-37.0560, -10.9650},
		{-37.0620, -10.9600},
		{-37.0620, -10.9510},
		{-37.0565, -10.9455},
	}},
	{id: "004", name: "Maracaju / DIA", through: []orb.Point{
		{-37.0750, -10.8850},
		{-37.0700, -10.8940},
		{-37.0760, -10.9030},
		{-37.0720, -10.9140},
		{-37.0660, -10.9230},
		{-37.0690, -10.9330},
		{-37.0630, -10.9420},
	}},
	// Half way it goes into a terminal and comes out on the same street.
	{id: "005", name: "Aeroporto / Orla", through: []orb.Point{
		{-37.0730, -10.9850},
		{-37.0660, -10.9800},
		{-37.0600, -10.9840},
		{-37.0600, -10.9900},
		{-37.0600, -10.9955},
		{-37.0600, -10.9900},
		{-37.0600, -10.9840},
		{-37.0540, -10.9800},
		{-37.0480, -10.9870},
		{-37.0430, -10.9960},
	}},
}

// duty is what one bus drives in a day: trips of one line, one after the other, by their id.
type duty []string

// Network is the plan for a fleet of so many vehicles.
func Network(vehicles int) *gtfs.Feed {
	feed, _ := network(vehicles)
	return feed
}

func network(vehicles int) (*gtfs.Feed, []duty) {
	feed := &gtfs.Feed{
		Zone:   Zone,
		Routes: map[string]gtfs.Route{},
		Stops:  map[string]gtfs.Stop{},
		Shapes: map[string][]gtfs.Point{},
		Calls:  map[string][]gtfs.Call{},
	}
	paths := map[string][]path{}
	for _, l := range lines {
		feed.Routes[l.id] = gtfs.Route{ShortName: l.id, LongName: l.name}
		paths[l.id] = l.paths(feed)
	}
	blocks := min(max(vehicles, 1), mostBlocks)
	duties := make([]duty, blocks)
	for i := range duties {
		l := lines[i%len(lines)]
		turn := i / len(lines)                          // which bus of the line
		turns := (blocks-i%len(lines)-1)/len(lines) + 1 // how many buses the line has
		duties[i] = schedule(feed, l, paths[l.id], i, float64(turn)/float64(turns))
	}
	return feed, duties
}

// path is one direction of a line, with its stops.
type path struct {
	id, headsign string
	stops        []gtfs.Call // Arrives and Leaves count from the departure
}

// duration is how long a trip takes by the timetable, in seconds.
func (p path) duration() int { return p.stops[len(p.stops)-1].Arrives }

// paths adds the shapes and stops of a line to the feed.
func (l line) paths(feed *gtfs.Feed) []path {
	paths := []path{l.path(feed, "I", l.through)}
	if !l.circular {
		paths = append(paths, l.path(feed, "V", reversed(l.through)))
	}
	return paths
}

func (l line) path(feed *gtfs.Feed, direction string, through []orb.Point) path {
	p := path{id: l.id + direction, headsign: l.name}
	shape := curve(through)
	for i, v := range shape {
		feed.Shapes[p.id] = append(feed.Shapes[p.id], gtfs.Point{Sequence: i, Point: v.Point(), Along: v.Along(), HasAlong: true})
	}
	halts := int(shape.Length()/stopSpacing) + 1
	for i := range halts {
		along := shape.Length()
		if i < halts-1 {
			along = math.Round(along * float64(i) / float64(halts-1))
		}
		stop := fmt.Sprintf("%s%02d", p.id, i+1)
		feed.Stops[stop] = gtfs.Stop{Name: fmt.Sprintf("Parada %d", i+1), Point: pointAt(shape, along)}
		due := int(along/plannedSpeed/60+0.5) * 60
		p.stops = append(p.stops, gtfs.Call{
			Sequence: i + 1, Stop: stop, Arrives: due, Leaves: due, Timed: true, Along: along, HasAlong: true,
		})
	}
	return p
}

// schedule adds the trips of one bus to the feed. It begins its round by a part of it later than the first bus of its line.
func schedule(feed *gtfs.Feed, l line, paths []path, block int, later float64) duty {
	round := 0
	for _, p := range paths {
		round += p.duration() + layover
	}
	var trips duty
	at := firstTrip + int(later*float64(round))/60*60
	for i := 0; at < lastTrip; i++ {
		p := paths[i%len(paths)]
		id := fmt.Sprintf("%s:%02d%02d-%02d:%03d", p.id, at/3600, at/60%60, block, block)
		calls := make([]gtfs.Call, len(p.stops))
		for j, call := range p.stops {
			call.Arrives += at
			call.Leaves += at
			calls[j] = call
		}
		feed.Calls[id] = calls
		feed.Trips = append(feed.Trips, gtfs.Trip{ID: id, Route: l.id, Headsign: p.headsign, Shape: p.id})
		trips = append(trips, id)
		at += p.duration() + layover
	}
	return trips
}

// trips are the trips of a feed by their id.
func trips(feed *gtfs.Feed) map[string]*fleet.Trip {
	byID := map[string]*fleet.Trip{}
	for _, trip := range feed.Plan("").Trips() {
		byID[trip.ID] = trip
	}
	return byID
}
