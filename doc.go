// Package rio is Kafka Streams for Go: declare a topology of streams and tables, keep state by key, emit derived
// streams, on any Kafka cluster or on the broker that runs inside your process.
//
// The packages, in layer order; each imports only what stands above it:
//
//	codec                values to bytes and back
//	state                what a program remembers: stores, their cache, the database of a task
//	state/pebblestore    that database on disk
//	state/statetest      the suite that every database passes
//	processor            the step one writes by hand
//	topology             the DSL
//	topologytest         a topology under test on simulated time
//	kafka                the log and the group engine, as a client
//	kafka/kafkatest      the suite that every broker passes
//	broker               the log and the group engine, embedded: the Kafka protocol over pebble
//	runner               runs a topology
//	cmd/rio              the command line
//	examples             complete programs: fleet-tracking and vendas
//
// Begin with the README, then with examples/vendas. docs/promises.md lists what is promised, with the tests that prove it.
package rio
