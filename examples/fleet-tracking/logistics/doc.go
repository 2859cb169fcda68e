// Package logistics is what the planners of a fleet read: where runs lose time, and how long vehicles stay at stops. It is a
// topology of its own, application logistica, on the topics that package tracking writes.
//
//	topics.go     the topics and their codecs
//	topology.go   which step follows which, and what is kept
//	steps.go      the steps that keep something
//	worst.go      the worst legs, as text and by HTTP
//
// What is summed up and how package fleet knows: LegHour and StopHour.
//
// # What counts
//
// Legs and visits are summed up over the latest 28 days of each leg or stop and local hour, by the time at which they
// happened. A leg or visit that is told again replaces what was told before. So the results depend on which legs
// and visits there are, not on the order in which they come.
package logistics
