// Package oracle compares Rio with Kafka Streams. Its test draws random topologies and inputs, runs each on topologytest and,
// in a Java process, on Kafka Streams' TopologyTestDriver with RocksDB stores, and compares the records that leave after each
// input: key, value, timestamp and headers, in their order.
//
//	RIO_ORACLE=$(interop/oracle/build) go test ./interop/oracle
//	RIO_ORACLE=$(interop/oracle/build) go test ./interop/oracle -rapid.checks=100000 -timeout=2h
//
// A difference is shrunk, and printed as a golden script of topologytest and as the JSON that the flag -case runs again.
//
// Intended differences are not filtered out of the results. Where Rio differs on purpose, the Java program builds the step so
// that it does the same, or the generator does not draw the case; each such place says so, and docs/semantics.md lists them.
package oracle
