package freight

import (
	"path/filepath"
	"strings"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// routes are the routes of a file, and the depots and fuel stations.
type routes struct {
	*mistakes
	file  string
	lines map[string]route
	sites []site
}

// route is the line of a route.
type route struct {
	place
	id       string
	line     []orb.Point
	shape    fleet.Shape // of the line
	corridor float64     // metres; 0: not given
}

// site is a depot or fuel station.
type site struct {
	place
	name, route string // no route: for all
	depot       bool
	point       orb.Point
	radius      float64 // metres; 0: not given
}

// siteKinds say whether a site of some kind is a depot.
var siteKinds = map[string]bool{
	"depot": true, "deposito": true, "garagem": true,
	"fuel": false, "posto": false, "combustivel": false,
}

// readRoutes reads a file of routes.
func readRoutes(m *mistakes, file string, content []byte) *routes {
	r := &routes{mistakes: m, file: file, lines: map[string]route{}}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".geojson", ".json":
		r.readGeoJSON(content)
	case ".gpx":
		r.readGPX(content)
	case ".csv":
		r.readPoints(content)
	default:
		m.add(file, "routes are read from .geojson, .json, .gpx and .csv")
	}
	return r
}

// addLine adds a route, if its line is one.
func (r *routes) addLine(at place, one route) {
	one.place = at
	if one.id == "" {
		r.at(at, "the route has no name: give it property or column route")
		return
	}
	if before, twice := r.lines[one.id]; twice {
		r.at(at, "route %q is given in %v, too", one.id, before.place)
		return
	}
	for _, p := range one.line {
		if !inRange(p) {
			r.at(at, "route %q: %v, %v is no longitude and latitude", one.id, p.Lon(), p.Lat())
			return
		}
	}
	one.line = withoutRepeats(one.line)
	if len(one.line) < 2 {
		r.at(at, "route %q has no two points", one.id)
		return
	}
	one.shape = shape(one.line)
	r.lines[one.id] = one
}

// addSite adds a depot or fuel station.
func (r *routes) addSite(at place, kind string, s site) {
	s.place = at
	depot, known := siteKinds[plain(kind)]
	switch {
	case !known:
		r.at(at, "kind %q is neither depot nor fuel", kind)
	case !inRange(s.point):
		r.at(at, "%v, %v is no longitude and latitude", s.point.Lon(), s.point.Lat())
	default:
		s.depot = depot
		r.sites = append(r.sites, s)
	}
}

// withoutRepeats leaves out points that are the same as the one before.
func withoutRepeats(line []orb.Point) []orb.Point {
	var kept []orb.Point
	for _, p := range line {
		if len(kept) == 0 || kept[len(kept)-1] != p {
			kept = append(kept, p)
		}
	}
	return kept
}

// shape is the line with the distances from its start.
func shape(line []orb.Point) fleet.Shape {
	s := make(fleet.Shape, len(line))
	for i, along := range fleet.Joined(line) {
		s[i] = fleet.Vertex{line[i].Lon(), line[i].Lat(), along}
	}
	return s
}
