// Package fleet knows what positions of vehicles mean: how fast a vehicle is, how far it strays from its route, how far it has come, and how
// late it reaches its stops.
//
// A fix goes in, a new value and what it tells come out. Repeats, Account, Speed, PositionSpeed, Tracker, Handover and
// VisitTracker are such values: their zero value is the beginning, a method returns the next one and leaves the old as it was.
// They are small, and they encode to JSON, so a store can keep one for each vehicle or trip.
//
//	tracker, seen, err := tracker.Add(fix.On(timetable))
//
// Nothing here reads a clock, a file or a topic; the same fixes in the same order give the same results.
//
// # Two arrivals
//
// There are two definitions of an arrival, and both are computed.
//
//   - By halt or radius (VisitTracker, Visit): the vehicle halts in the zone of the stop, 50 m around its point, or passes its place; at
//     the last stop it is enough to come into the zone. The zone is what people take for an arrival, and this one has a
//     departure, and a leg to the next stop.
//   - Along the shape (Tracker, Arrival): the vehicle's place along the shape reaches that of the stop. A vehicle that halts a few
//     metres before that arrives when it moves on.
//
// # Forecasts
//
// At each fix a Forecast tells when the run is expected at the stops ahead: from its place and its plan, and from the History of its path, which
// is how long other runs took for the legs. Told remembers what a run was told, to measure it when the run arrives; how far forecasts were
// off gives the range of the next.
//
// # Order
//
// Fixes count in the order in which they come. A fix that a newer one of its vehicle has overtaken still counts for the speed
// of its window, as long as the window is open, and its deviation is measured; for off-route episodes, progress and
// arrivals, visits and legs it comes too late. Motion does not depend on the order of arrival: a fix that comes late splits the pair of
// its neighbours.
//
// # Sources of the formulas
//
// Distances are great circles (haversine) on a sphere of the earth's mean radius. Deviations are measured in an equirectangular
// projection centred on the fix, exact enough for the some kilometres that matter. The place along a shape is found by a small
// Viterbi search, after Newson and Krumm, "Hidden Markov map matching through noise and sparseness" (2009).
package fleet
