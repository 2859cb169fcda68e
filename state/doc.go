// Package state holds what a program remembers between records: typed stores of values by key, and by key and window.
//
// A task has one ordered database, a [DB]. Every store of the task is a range of keys in it, so one [Batch] commits all
// stores together with the input position that they reflect. On top of the database is a write-back cache of decoded
// values: handlers work with Go values, and a value is encoded once per commit, however often it changes.
//
// Declare a store once, at package level. A handler gets its typed handle when the handler is created:
//
//	var Totals = state.NewKeyValue("totals", codec.String, codec.Int64)
//
//	totals := Totals.In(ctx)
//	change, err := totals.Update("ana", timestamp, func(old int64, _ bool) int64 { return old + 10 })
//
// # Ownership
//
// One goroutine owns a task: its DB, its [Set] of stores and their handles. Other goroutines may only call DB.Snapshot
// and read snapshots. All tasks share definitions and a [Budget].
//
// The owner processes records like this:
//
//	set, err := state.OpenSet(db, definitions, options)
//	for each record:
//		set.Begin()
//		run the handlers; if they fail: set.Undo()
//	to commit:
//		b := db.NewBatch()
//		set.Flush(b, changelog)          // dirty entries, in key order
//		set.Expire(b)
//		set.SetPosition(b, topic, partition, offset)
//		end the transaction, with set.Times in it; then b.Commit(), then set.Committed()
//
// If the transaction is aborted, the owner opens the set again: the database holds what is committed.
//
// # Results do not depend on the cache
//
// What a handler reads depends only on what was written: not on the size of the cache, on when commits happened, or on
// when expired windows were deleted. This requires two rules. A value with maps, slices or pointers inside is kept
// encoded, so that nobody can change it in place by mistake ([KeyValueDefinition.Immutable] waives this). And a codec
// must encode everything that matters: what it omits is lost when the value is evicted from the cache.
//
// # What it does not do
//
// It knows no topics, tasks or transactions: the caller writes the changelog and restores from it. It does not serve
// reads from other goroutines: they take a snapshot and read it through a [View], which shows committed rows.
// [NewMemory] keeps nothing on disk; package pebblestore does.
package state
