// Package store is the disk of the broker: one pebble database that holds everything that outlives the process.
//
// The main idea: whatever belongs together is one [Batch], and a batch is there as a whole after a crash or not at all. The
// bytes of a record batch, the position of its partition, the sequence numbers of its producer and the state of its
// transaction are never apart, so nothing has to be rebuilt or repaired when the process starts again.
//
// The kinds of entries are in entry.go, each with its key and its bytes; docs/format.md draws them. Large values lie in
// pebble's blob files, which it writes once: a record is written to the write-ahead log and to a blob file, and compactions
// move keys only.
//
// Who owns what: one goroutine commits, one batch after the other, in the order in which they were filled; any goroutine
// may read through a [Reader], which sees the commits that had ended when it was made.
//
// With durability [OS] a power cut may leave holes in the write-ahead log; a start then cuts it at the first (powercut.go).
//
// A full disk stops the writers of pebble where they are until there is room (disk.go); the broker asks [DB.Full] and
// refuses new records before it comes to that.
package store
