// Package cases runs small programs that once failed against the packages of this repository, and compares what they print with
// what is right. The programs are not part of the repository: RIO_CASES names the directory that holds them, as modules of
// their own that use the public packages. Without it the tests are skipped.
//
// The main idea: a test copies a module to a temporary directory, points it at this checkout, builds it once, and runs each
// program on an embedded broker and, if RIO_KAFKA is set, on Apache Kafka. What is right is in tables beside the tests.
//
//	streams/    programs, each with the broker that it starts or is given
//	faults/     a program that counts by key, and does wrong on request
//	semantics/  tests on package topologytest, and topologies with their inputs as lines of JSON
//
// RIO_CASES_LONG=1 adds those that take more than 20 s and of which package runner has a short form. There is nothing in
// the package to import.
package cases
