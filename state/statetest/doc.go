// Package statetest is a test suite for implementations of state.DB and for all kinds of stores on them.
//
// The test file of a new database is one line:
//
//	func TestMine(t *testing.T) { statetest.Run(t, open) }
//
// Stores are compared with a Go map under random handlers that fail, commit, crash and restart, with caches of several
// sizes. Reads, returned changes and the changelog must match the map byte for byte, so two databases that pass give
// the same output.
//
// The suite does not simulate power cuts. That needs a file system with simulated crashes and is left to the tests of
// the database's package.
package statetest
