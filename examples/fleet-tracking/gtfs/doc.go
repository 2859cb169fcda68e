// Package gtfs reads the planned side of public transport: routes, trips, stops, timetables and shapes, as an agency publishes
// them in a GTFS feed (https://gtfs.org/schedule/reference).
//
// Read takes a feed from a folder, Feed.Timetables turns it into what topic viagens holds. Feeds differ in what they leave out:
// stops without distances get them from the shape, times between timepoints are interpolated by distance, and a trip without
// a shape keeps its timetable; its stops lie on straight lines from one to the next. Trips of frequencies.txt are marked: their
// times count from the start of each run.
//
// It does not read calendars: a vehicle says itself which service day it is on.
package gtfs
