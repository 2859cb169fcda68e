// Package store is the disk of the broker: one pebble database that holds everything that outlives the process.
//
// The main idea: changes that belong together are one [Batch], and a crash keeps a batch as a whole or not at all. The
// bytes of a record batch, the position of its partition, the sequence numbers of its producer and the state of its
// transaction are always written together, so nothing has to be rebuilt or repaired at the next start.
//
// The types of entries are in entry.go, each with its key and its encoding; docs/format.md describes them. Pebble
// stores large values in blob files, which are written once: a record is written to the write-ahead log and to a blob
// file, and compactions move only keys.
//
// One goroutine commits batches, one after the other. Any goroutine may read through a [Reader], which sees the commits
// that were complete when it was made.
//
// With durability [OS] a power failure may leave holes in the write-ahead log; the next start truncates it at the first
// (powercut.go).
//
// When the disk is full, writes of pebble wait until there is space (disk.go); the broker checks [DB.Full] and refuses
// new records before that happens.
package store
