// Package conduct knows how a driver drives: how fast, how long the engine idles, how punctual, how often off the route, and what score that
// makes of a day.
//
// A Sheet names whose figures a fix counts for: those of a driver on a local day or, while nobody is known to drive, those of the vehicle.
// The figures come about in three steps, each a value whose zero is the beginning:
//
//	Trail   the end of a vehicle's fixes: tells what the next fix adds to the Figures of its sheet
//	Book    all that is known of a sheet: the figures of its vehicles, departures, runs and detours
//	Day     what a book says, with the score
//
// A pair of fixes counts if both belong to one sheet. The pair around midnight, or around a change of drivers, counts for nobody: it
// cannot be told who drove how fast.
//
// # Order
//
// Figures are sums of whole numbers, and Tally gives what fixes in a row add up to. A fix that comes late adds the difference of two
// tallies: that of its neighbours with it and that without. So the figures do not depend on the order of arrival.
//
// # What cannot be computed
//
// A Day says what cannot be computed and why, instead of a zero: harsh braking if fixes are more than two seconds apart, idling without
// ignition, overspeed without a limit. Cornering, the use of a phone and seat belts cannot be seen in positions at all.
//
// Nothing here reads a clock, a file or a topic.
package conduct
