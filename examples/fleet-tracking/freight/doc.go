// Package freight reads what a company plans for its freight vehicles: the lines of its routes, its deliveries with their promised
// windows, and who drives which vehicle.
//
// A route of one day, with its deliveries, becomes a trip like that of a bus: its shape is the line of the route; its stops are the
// depot, where one is given, and the deliveries in order. So speeds, deviations, visits, legs and progress mean the same for both.
// A freight vehicle sends only where it is; which trip it is on is looked up among the assignments of the vehicle.
//
//	plan, err := freight.Load(freight.Files{Routes: "rotas.geojson", Deliveries: "entregas.csv", Drivers: "motoristas.csv"})
//
// The result is what topics viagens, atribuicoes and entregas hold; Load writes nothing. All mistakes are told at once, each with
// file, line and value.
//
// # Files
//
// The ending of a name says how routes are given:
//
//	.geojson, .json   features with a LineString or MultiLineString; the route is property route, else id, else name
//	.gpx              tracks and routes; the route is their name, for a single one without a name that of the file
//	.csv              points in order: route, order, lat, lon; joined by straight lines, so give one where the road bends
//
// Depots and fuel stations are features with a Point, waypoints or rows of kind depot or fuel. One that names a route is for
// that route only. A depot that names a route, or lies where its line begins, is the first stop of its trips.
//
// Deliveries and drivers are CSV. Columns have English or Portuguese names, in any order; commas or semicolons separate them, and
// with semicolons numbers may have decimal commas. See the columns in deliveries.go and drivers.go.
//
// A time is 2026-03-02T08:00:00-03:00; without a zone it is in that of column zone, else in Files.Zone; a time of day, 08:00, is on
// the day of column date.
package freight
