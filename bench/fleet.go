package main

import (
	"encoding/json"
	"fmt"
	"math"
)

// Position is the value of the input topic; the key is the vehicle. As JSON it has about 100 bytes.
type Position struct {
	Line  string  `json:"line"`
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Speed float64 `json:"speed"` // m/s
	Time  int64   `json:"time"`  // ms since 1970
	Seq   int64   `json:"seq"`
}

// Vehicle is the state that every contestant keeps per vehicle.
type Vehicle struct {
	Line      string  `json:"line"`
	Lat       float64 `json:"lat"`
	Lon       float64 `json:"lon"`
	Time      int64   `json:"time"`
	Fastest   float64 `json:"fastest"`
	Meters    float64 `json:"meters"`
	Positions int64   `json:"positions"`
}

// Add returns the vehicle after one more position: the update that every contestant computes.
func (v Vehicle) Add(p Position) Vehicle {
	if v.Positions > 0 {
		v.Meters += distance(v.Lat, v.Lon, p.Lat, p.Lon)
	}
	v.Line, v.Lat, v.Lon, v.Time = p.Line, p.Lat, p.Lon, p.Time
	v.Fastest = max(v.Fastest, p.Speed)
	v.Positions++
	return v
}

// distance returns the distance of two near points in metres, on a cylinder along their parallel.
func distance(lat1, lon1, lat2, lon2 float64) float64 {
	const perDegree = 111_195
	x := (lon2 - lon1) * math.Cos(lat1*math.Pi/180)
	y := lat2 - lat1
	return perDegree * math.Sqrt(x*x+y*y)
}

// fleet generates positions of vehicles that report in turn, every 20 seconds. They are the same in every run.
type fleet struct{ vehicles int }

const reportEvery = 20_000 // ms

func (f fleet) key(i int) []byte { return fmt.Appendf(nil, "bus-%05d", i%f.vehicles) }

// time returns the event time of the i-th position, in milliseconds since 1970.
func (f fleet) time(i int) int64 {
	const start = 1_767_225_600_000 // 2026-01-01
	return start + int64(i)*reportEvery/int64(f.vehicles)
}

func (f fleet) position(i int) Position {
	vehicle, report := i%f.vehicles, i/f.vehicles
	angle := float64(report)/40 + float64(vehicle)
	return Position{
		Line:  fmt.Sprintf("line-%03d", vehicle%400),
		Lat:   degrees(-22.9 + float64(vehicle%71)/400 + 0.02*math.Sin(angle)),
		Lon:   degrees(-43.2 + float64(vehicle%73)/400 + 0.02*math.Cos(angle)),
		Speed: float64((vehicle*7+report*13)%220) / 10,
		Time:  f.time(i),
		Seq:   int64(i),
	}
}

// degrees rounds to about a tenth of a metre, like trackers.
func degrees(d float64) float64 { return math.Round(d*1e6) / 1e6 }

func (f fleet) value(i int) ([]byte, error) { return json.Marshal(f.position(i)) }
