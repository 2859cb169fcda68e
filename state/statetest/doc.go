// Package statetest is the suite that every state.DB passes, and every kind of store on it.
//
// The test file of a new database is one line:
//
//	func TestMine(t *testing.T) { statetest.Run(t, open) }
//
// The stores are run against a Go map by random handlers that fail, commit, crash and start again, under caches of several sizes. Reads,
// returned changes and the changelog must be those of the map, to the byte; so two databases that pass give the same output.
//
// It does not cut the power: that needs a file system that can be crashed, and is a test of the database's own package.
package statetest
