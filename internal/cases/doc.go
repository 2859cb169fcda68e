// Package cases contains regression tests: it runs small programs that once showed a bug, and compares their output with the
// expected one. The programs are not part of the repository. RIO_CASES is the directory that contains them, as modules that
// use the public packages. Without it the tests are skipped.
//
// A test copies a module to a temporary directory, makes it use this checkout, builds it once, and runs each program on an
// embedded broker and, if RIO_KAFKA is set, on Apache Kafka. Tables in the test files contain the expected output.
//
//	streams/    programs, each with the broker that it starts or is given
//	faults/     a program that counts by key, and misbehaves on request
//	semantics/  tests on package topologytest, and topologies with their inputs as lines of JSON
//
// RIO_CASES_LONG=1 also runs those that take more than 20 s; package runner has short versions of them. The package has no
// exported names.
package cases
