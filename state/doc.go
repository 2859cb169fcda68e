// Package state is what a program remembers between records: typed stores of values by key, and by key and window.
//
// A task has one ordered database, a [DB], and every store of the task is a range of keys in it, so one [Batch] commits all of
// them together with the position in the input that they stand for. Before the database lies a write-back cache of decoded values:
// a handler works on Go values, and a value is encoded once per commit, however often it changed.
//
// A store is declared once, at package level, and a handler takes its typed handle when it is made:
//
//	var Totals = state.NewKeyValue("totals", codec.String, codec.Int64)
//
//	totals := Totals.In(ctx)
//	change, err := totals.Update("ana", timestamp, func(old int64, _ bool) int64 { return old + 10 })
//
// # Who owns what
//
// One goroutine owns a task: its DB, its [Set] of stores and their handles. Only DB.Snapshot may be called from others, and a snapshot
// read by them. Definitions and a [Budget] are shared by all tasks.
//
// The owner goes through its records like this:
//
//	set, err := state.OpenSet(db, definitions, options)
//	for each record:
//		set.Begin()
//		run the handlers; if they fail: set.Undo()
//	to commit:
//		b := db.NewBatch()
//		set.Flush(b, changelog)          // dirty entries, in the order of their keys
//		set.Expire(b)
//		set.SetPosition(b, topic, partition, offset)
//		end the transaction, with set.Times in it; then b.Commit(), then set.Committed()
//
// If the transaction is aborted, the owner opens the set again: the database holds what is committed.
//
// # Results do not depend on the cache
//
// What a handler reads is a function of what was written: not of the size of the cache, of when commits happened, or of when
// expired windows were deleted. Two rules follow. A value with maps, slices or pointers inside is kept encoded, so that
// nobody changes it in place by mistake ([KeyValueDefinition.Immutable] waives this). And a codec must keep all of a value
// that matters: what it leaves out is lost as soon as the value leaves the cache.
//
// # What it does not do
//
// It knows no topics, tasks or transactions: the caller writes the changelog and restores from it. It does not queue reads
// from other goroutines: they take a snapshot and read it by a [View], which shows what was committed. [NewMemory] keeps
// nothing on disk; for that see the package pebblestore.
package state
