// Package tracking is the topology of the fleet example: what it reads, what it makes of it, and the topics in which others
// find the results.
//
//	topics.go    the topics and their codecs
//	topology.go  which step follows which, and what is kept
//	steps.go     the steps that keep something
//	forecasts.go what runs and paths remember, to forecast arrivals
//
// What a fix means is told by package fleet, without a stream in sight. Another program runs the same topology with
//
//	top, err := tracking.New(tracking.Config{})
//	...
//	app, err := runner.Start(ctx, top, runner.Config{Brokers: brokers, Dir: dir})
package tracking
