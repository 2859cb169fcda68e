// Package simulation is a small bus network in Aracaju, Brazil, and a fleet that drives on it: input for the example when there
// is no recording.
//
// Network is the planned side, as a GTFS feed. A Fleet is the driven side: buses that keep to their timetable as well as traffic
// lets them, now and then leave their route, and send positions over a bad radio. What a Fleet sends is a function of its
// Config, to the last bit; simulated time is the only time it knows. Config.Truth, if set, is told what really happened, so that
// a test can compare it with what the example made of the positions.
//
// Freight is the other simulation: vehicles that deliver, on a Plan of routes, promised windows and drivers. They send latitude and
// longitude; one in ten takes a fix every second and sends speed and ignition, too. FreightTruth is told what really happens there.
//
//	freight.go   the fleet, second by second       plan.go, loop.go  what is planned
//	errand.go    what happens on a trip            truck.go          how a vehicle drives it
//	box.go       what its GPS and radio make of it
//
// A Fleet or Freight belongs to one goroutine. The streets are drawn by hand between places that exist; they are not a map.
package simulation
