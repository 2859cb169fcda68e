package simulation

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
)

const (
	stopSpacing  = 450.0    // metres between stops
	plannedSpeed = 6.5      // m/s with halts, by the timetable
	layover      = 6 * 60   // seconds at the end of a trip, by the timetable
	firstTrip    = 5 * 3600 // seconds of the service day
	mostBlocks   = 60       // duties in the timetable; a larger fleet drives them twice
)

// duty is what one bus drives in a day: trips of one line, one after the other, by their id.
type duty []string

// Network is the plan for a fleet of so many vehicles in Aracaju.
func Network(vehicles int) *gtfs.Feed {
	feed, _ := Aracaju.network(vehicles)
	return feed
}

func (c *City) network(vehicles int) (*gtfs.Feed, []duty) {
	feed := &gtfs.Feed{
		Zone:   c.Zone,
		Routes: map[string]gtfs.Route{},
		Stops:  map[string]gtfs.Stop{},
		Shapes: map[string][]gtfs.Point{},
		Calls:  map[string][]gtfs.Call{},
	}
	paths := map[string][]path{}
	for _, l := range c.lines {
		feed.Routes[l.id] = gtfs.Route{ShortName: l.id, LongName: l.name}
		paths[l.id] = l.paths(feed)
	}
	blocks := min(max(vehicles, 1), mostBlocks)
	duties := make([]duty, blocks)
	for i := range duties {
		l := c.lines[i%len(c.lines)]
		turn := i / len(c.lines)                            // which bus of the line
		turns := (blocks-i%len(c.lines)-1)/len(c.lines) + 1 // how many buses the line has
		duties[i] = c.schedule(feed, l, paths[l.id], i, float64(turn)/float64(turns))
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
func (c *City) schedule(feed *gtfs.Feed, l line, paths []path, block int, later float64) duty {
	round := 0
	for _, p := range paths {
		round += p.duration() + layover
	}
	var trips duty
	at := firstTrip + int(later*float64(round))/60*60
	for i := 0; at < c.lastTrip; i++ {
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
