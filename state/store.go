package state

import (
	"iter"
	"time"
)

// Definition declares a store: its name, its kind, its codecs. Make it once, usually at package level; all tasks share
// it.
type Definition interface {
	// Name returns the name of the store. The changelog topic is called after it and the application.
	Name() string

	// String describes the kind and the codecs of the store, such as "key-value string → json[fleet.Fix]".
	String() string

	// Format describes the stored bytes, such as "key-value string → json" (see codec.Format). It is stored with them
	// and compared at every open.
	Format() string

	// Retention is how long a window is kept after its start, in stream time; 0 means forever.
	Retention() time.Duration

	// Encoded iterates over the committed rows of the store in r, a DB or a Snapshot, in database order and without
	// expired ones. An error is the last thing it yields; it wraps ErrNoStore if the database does not have the store.
	// Use it if the types are unknown, and a View otherwise.
	Encoded(r Reader) iter.Seq2[EncodedRow, error]

	// Open opens the store under a prefix of db.
	Open(db DB, prefix []byte, opts Options) (Store, error)
}

// Options are the settings that a process uses for all its stores. The zero value works.
type Options struct {
	// Budget bounds the caches. Default: 16 MiB for each store.
	Budget *Budget

	// Times are the times of the clocks at the last commit (see Set.Times). Nil: those in the database, which has none
	// on a new machine.
	Times Times
}

// LogFunc receives one changelog record of a store: a nil value is a tombstone, the timestamp is in milliseconds since
// 1970. It must copy what it keeps.
type LogFunc func(key, value []byte, timestamp int64) error

// Store is the untyped interface of a store, used by its task. The order of calls is
//
//	( Begin, what the handlers do, [Undo] )*, Flush, the batch's Commit, Committed
//
// Records may be processed between Flush and Committed.
type Store interface {
	Name() string

	// Begin starts a new record: earlier changes can no longer be undone.
	Begin()

	// Undo rolls back all changes since Begin, so that a failed record has no effect and a retry is not applied twice.
	Undo()

	// Mark returns a savepoint, and UndoTo rolls back all changes since. Savepoints are a stack; see Set.
	Mark() int
	UndoTo(mark int)

	// Flush encodes each entry changed since the last Flush, once and in key order, into the batch, and passes it to
	// log.
	Flush(b Batch, log LogFunc) error

	// Committed reports that the batches of all Flushes so far have been committed. The cache shrinks to its budget.
	Committed()

	// Restore adds one changelog record to the batch; a nil value is a tombstone. The cache must be empty: restore
	// after opening the store and before using it.
	Restore(b Batch, key, value []byte, timestamp int64) error

	// Dump calls log for each row in the database, as Flush does for a changed one. It does not include unflushed
	// changes.
	Dump(log LogFunc) error

	// Clock returns the clock of a store of windows, nil for others: the greatest timestamp written to it. A window
	// that starts more than the retention before that has expired: it is no longer found, and writes to it are dropped,
	// whether or not it was physically deleted. So no result depends on when Expire ran. The time advances between
	// records: the record that advances it still finds the windows that it closes.
	Clock() *Clock

	// Expire adds the deletion of expired windows to the batch, after the changes of Flush. No read can tell whether it
	// ran. The changelog gets no tombstones; the owner purges it.
	Expire(b Batch)

	// Dirty returns the number of entries that the next Flush will write, DirtyBytes their approximate size, and
	// CachedBytes the approximate size of all entries in memory.
	Dirty() int
	DirtyBytes() int
	CachedBytes() int

	// Lookups counts the lookups of keys so far: found in the cache (hits), or read from the database (misses).
	Lookups() Lookups

	// Close returns the memory of the store to the budget.
	Close()
}

// Lookups counts the lookups of keys in a store.
type Lookups struct {
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
}

// Stores gives a handler access to a task's opened stores. A processor.Context implements it.
type Stores interface {
	// Store returns the named store attached to this step.
	Store(name string) (Store, error)

	// Fail reports that the step cannot work; the task stops with the error before its first record.
	Fail(err error)
}
