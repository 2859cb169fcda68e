package simulation

import (
	"time"

	"github.com/paulmach/orb"
)

// City is where a simulated fleet drives, and by which clock.
type City struct {
	Zone     string // time zone
	lastTrip int    // seconds of the service day: the last trip of a bus begins before, and may end after midnight
	lines    []line
	depots   []Depot // of delivery vehicles
}

// location is the time zone.
func (c *City) location() *time.Location {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		panic(err) // package fleet embeds the time zones
	}
	return zone
}

// line is a route with the points it goes through, longitude and latitude. A circular line has no way back.
type line struct {
	id, name string
	circular bool
	through  []orb.Point
}

// Aracaju is the city of the demo.
var Aracaju = &City{
	Zone:     Zone,
	lastTrip: 24*3600 - 1,
	depots: []Depot{
		{"deposito-1", "Depósito Distrito Industrial", orb.Point{-37.0880, -10.9420}},
		{"deposito-2", "Depósito Aeroporto", orb.Point{-37.0720, -10.9830}},
	},
	lines: []line{
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
	},
}

// Zone is the time zone of Aracaju.
const Zone = "America/Maceio"

// Helsinki lies far north, where a degree of longitude is half as long as one of latitude. Its clocks go forward on 29 March 2026 at 3:00,
// when its night buses are under way.
var Helsinki = &City{
	Zone:     "Europe/Helsinki",
	lastTrip: nightTrip,
	lines:    elsewhere(orb.Point{24.94, 60.17}),
	depots: []Depot{
		{"varasto-1", "Varasto", orb.Point{24.96, 60.22}},
	},
}

// Auckland lies in the south, close to where longitudes change their sign. Its clocks go back on 5 April 2026 at 3:00.
var Auckland = &City{
	Zone:     "Pacific/Auckland",
	lastTrip: nightTrip,
	lines:    elsewhere(orb.Point{174.76, -36.86}),
	depots: []Depot{
		{"depot-1", "Depot", orb.Point{174.78, -36.89}},
	},
}

const nightTrip = 26*3600 + 1800 // seconds of the service day

// elsewhere are lines of other shapes around a place: a spiral, hairpin bends, and a long straight road.
func elsewhere(centre orb.Point) []line {
	at := func(metres ...[2]float64) []orb.Point {
		var points []orb.Point
		for _, m := range metres {
			points = append(points, shifted(centre, m[0], m[1]))
		}
		return points
	}
	return []line{
		{id: "11", name: "Spiral", through: at(
			[2]float64{0, 0}, [2]float64{500, 100}, [2]float64{400, 700}, [2]float64{-500, 800}, [2]float64{-900, 0},
			[2]float64{-500, -900}, [2]float64{700, -1000}, [2]float64{1500, 0}, [2]float64{1300, 1400}, [2]float64{0, 1900},
		)},
		{id: "12", name: "Hairpins", through: at(
			[2]float64{-2000, -1500}, [2]float64{-500, -1600}, [2]float64{-300, -1300}, [2]float64{-1900, -1000}, [2]float64{-1900, -700},
			[2]float64{-400, -600}, [2]float64{-300, -300}, [2]float64{-1800, 0},
		)},
		{id: "13", name: "Straight", through: at([2]float64{2000, -3000}, [2]float64{2100, -1000}, [2]float64{2000, 1000}, [2]float64{2100, 3000})},
	}
}
