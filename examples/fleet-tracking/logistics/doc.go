// Package logistics is what the planners of a fleet read: where runs lose time, how long vehicles stay at stops, which
// detours runs repeat, and the timetable as it is driven. It is a topology of its own, application logistica, on the topics that package tracking writes.
//
//	topics.go     the topics and their codecs
//	topology.go   which step follows which, and what is kept
//	steps.go      the steps that keep something
//	timetable.go  the steps that correct timetables
//	worst.go      the worst legs, as text
//	pages.go      the same by HTTP
//
// What is summed up and how package fleet knows: LegHour and StopHour.
//
// # What counts
//
// Legs and visits are summed up over the latest 28 days of each leg or stop and local hour, by the time at which they
// happened. A leg or visit that is told again replaces what was told before. So the results depend on which legs
// and visits there are, not on the order in which they come.
//
// # Repeated detours
//
// A detour that skips a stretch of the line is repeated if three or more runs left out a stretch that overlaps it by half of
// the shorter of the two, in the 14 days before the latest detour of the line. Only trips of the same route and path are
// compared: a place is a length along the path.
//
// # The corrected timetable
//
// A leg of a trip takes the median of the driven times of that leg in the hour of its planned departure, if there are five of
// them, else the planned time; and so does the stay before it. The times of a trip are the sums from its planned first
// departure on. A trip appears in horarios-corrigidos when one of its legs is corrected; the others go as planned, and trips
// that keep a headway have no times. The latest version of a timetable is corrected. A trip that it no longer has stays.
package logistics
