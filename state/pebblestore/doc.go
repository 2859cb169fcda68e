// Package pebblestore keeps the state of tasks on disk, in pebble: one database per task.
//
// A database reflects its changelog up to a position that it stores, so it may lose its last commits, but never part of
// one. That is why a commit does not wait for the disk: see [WAL]. A damaged or deleted directory costs time, not data.
//
//	resources := pebblestore.NewResources(pebblestore.Limits{})
//	db, err := pebblestore.Open("/var/lib/fleet/0_3", pebblestore.Config{Resources: resources})
//
// [Resources] bound the memory and the open files of all databases of a process; make them once. The rules of use are
// those of state.DB: one goroutine owns a database; any goroutine may read snapshots.
//
// The package does not restore, and does not delete what it cannot read: the caller, who knows the changelog, does.
package pebblestore
