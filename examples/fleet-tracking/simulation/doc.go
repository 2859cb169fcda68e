// Package simulation is a small bus network in Aracaju, Brazil, and a fleet that drives on it: input for the example when there
// is no recording.
//
// Network is the planned side, as a GTFS feed. A Fleet is the driven side: buses that keep to their timetable as well as traffic
// lets them, now and then leave their route, and send positions over a bad radio. What a Fleet sends is a function of its
// Config, to the last bit; simulated time is the only time it knows. Config.Truth, if set, is told what really happened, so that
// a test can compare it with what the example made of the positions.
//
// A Fleet belongs to one goroutine. The streets are drawn by hand between places that exist; they are not a map.
package simulation
