// Package cases runs small programs that once failed against the packages of this repository, and compares their output
// with the expected one. The programs are not part of the repository: RIO_CASES names the directory that holds them, as
// modules of their own that use the public packages. Without it the tests are skipped.
//
// The main idea: a test copies a module to a temporary directory, points it at this checkout, builds it once, and runs
// each program on an embedded broker and, if RIO_KAFKA is set, on Apache Kafka. Tables beside the tests hold the
// expected output.
//
//	streams/    programs, each with the broker that it starts or is given
//	faults/     a program that counts by key, and misbehaves on request
//	semantics/  tests on package topologytest, and topologies with their inputs as lines of JSON
//
// RIO_CASES_LONG=1 adds those that take more than 20 s and of which package runner has a short form. There is nothing in
// the package to import.
package cases
