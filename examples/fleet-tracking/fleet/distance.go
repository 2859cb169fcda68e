package fleet

import (
	"math"

	"github.com/paulmach/orb"
)

// EarthRadius is the mean radius of the earth in metres (IUGG R1). orb's own constant is the equatorial one.
const EarthRadius = 6_371_008.8

const (
	degree          = math.Pi / 180
	longestGap      = 300 // seconds between two fixes of a clean pair
	topSpeed        = 50  // m/s between two fixes of a clean pair
	metresPerDegree = EarthRadius * degree
)

// Haversine is the great-circle distance between two points, in metres.
func Haversine(a, b orb.Point) float64 {
	sinLat := math.Sin((b.Lat() - a.Lat()) * degree / 2)
	sinLon := math.Sin((b.Lon() - a.Lon()) * degree / 2)
	h := sinLat*sinLat + math.Cos(a.Lat()*degree)*math.Cos(b.Lat()*degree)*sinLon*sinLon
	return 2 * EarthRadius * math.Asin(math.Sqrt(min(1, h)))
}

// plane is the equirectangular projection centred on a point: x = Δlon·cos(lat)·R, y = Δlat·R, in metres.
type plane struct {
	centre orb.Point
	east   float64 // metres of a degree of longitude
}

func planeAt(centre orb.Point) plane {
	return plane{centre: centre, east: metresPerDegree * math.Cos(centre.Lat()*degree)}
}

func (p plane) project(lon, lat float64) (x, y float64) {
	return wrap(lon-p.centre.Lon()) * p.east, (lat - p.centre.Lat()) * metresPerDegree
}

// wrap brings a difference of longitudes to the short way around the earth.
func wrap(degrees float64) float64 {
	switch {
	case degrees > 180:
		return degrees - 360
	case degrees < -180:
		return degrees + 360
	}
	return degrees
}

// millimetres rounds metres to the millimetre. What is measured is rounded before it is compared or kept: it does not depend on the
// last bits, in which processors differ, and is short in JSON.
func millimetres(metres float64) float64 { return math.Round(metres*1000) / 1000 }
