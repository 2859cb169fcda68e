// Package pebblestore keeps the state of tasks on disk, in pebble: one database per task.
//
// A database holds what its changelog holds up to a position that it knows, so it may lose its last commits but never a part of one. That
// is why a commit does not wait for the disk: see [WAL]. A damaged or deleted directory costs time, not data.
//
//	resources := pebblestore.NewResources(pebblestore.Limits{})
//	db, err := pebblestore.Open("/var/lib/fleet/0_3", pebblestore.Config{Resources: resources})
//
// [Resources] bound the memory and the files of all databases of a process; make them once. The rules of use are those of
// state.DB: one goroutine owns a database, snapshots are for all.
//
// It does not restore, and it deletes nothing that it cannot read: that is for the caller, who knows the changelog.
package pebblestore
