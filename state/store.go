package state

import (
	"iter"
	"time"
)

// Definition declares a store: its name, its kind, its codecs. It is a value made once, at package level as a rule, and used
// by many tasks at once.
type Definition interface {
	// Name names the store and, behind the name of the application, its changelog topic.
	Name() string

	// String names the kind and the codecs of the store, such as "key-value string → json[fleet.Fix]".
	String() string

	// Format says what the bytes of the store are, such as "key-value string → json" (see codec.Format). It is kept with
	// them and compared at every open.
	Format() string

	// Retention is how long a window is kept after its start, by stream time; 0 means for ever.
	Retention() time.Duration

	// Encoded iterates over the committed rows of the store in r, a DB or a Snapshot of one, in the order of the database and
	// without those that have expired. An error is the last thing it yields; it wraps ErrNoStore if the database does not
	// have the store. It is for those who do not know the types; others have a View.
	Encoded(r Reader) iter.Seq2[EncodedRow, error]

	// Open opens the store under a prefix of db.
	Open(db DB, prefix []byte, opts Options) (Store, error)
}

// Options is what a process gives all its stores. The zero value works.
type Options struct {
	// Budget bounds the caches. Default: 16 MiB for each store of its own.
	Budget *Budget

	// Times are those of the clocks at the last commit (see Set.Times). Nil: what the database has, which is nothing on a new
	// machine.
	Times Times
}

// LogFunc takes one changelog record of a store: a nil value is a tombstone, the timestamp is in milliseconds since 1970. It
// must copy what it keeps.
type LogFunc func(key, value []byte, timestamp int64) error

// Store is what a task does with any of its stores, whatever their types. The order of calls is
//
//	( Begin, what the handlers do, [Undo] )*, Flush, the batch's Commit, Committed
//
// Records may be taken between Flush and Committed.
type Store interface {
	Name() string

	// Begin says that a new record starts: what came before can no longer be undone.
	Begin()

	// Undo takes back every change since Begin, so that a failed record leaves no trace and a retry does not apply twice.
	Undo()

	// Mark returns a place between Begin and Undo, and UndoTo takes back every change since. Marks are a stack; see Set.
	Mark() int
	UndoTo(mark int)

	// Flush encodes each entry changed since the last Flush, once, in the order of the keys, into the batch and to log.
	Flush(b Batch, log LogFunc) error

	// Committed says that the batches of all Flushes so far are applied. The cache shrinks to its budget.
	Committed()

	// Restore puts one changelog record into the batch; nil is a tombstone. The cache must be empty: open the store, restore, use it.
	Restore(b Batch, key, value []byte, timestamp int64) error

	// Dump calls log for each row in the database, as Flush does for a changed one. What is not flushed is not there.
	Dump(log LogFunc) error

	// Clock is the time of a store of windows, nil for others: the greatest timestamp that was written to it. Windows that
	// start more than the retention before it are no longer found, and what is written to them is dropped, whether they
	// were physically deleted or not. So no result depends on when Expire ran. The time moves behind a record, not
	// within: the record that moves it still finds the windows that it closes.
	Clock() *Clock

	// Expire puts the deletion of windows that are no longer found into the batch, behind what Flush put there. It is
	// housekeeping: no read can tell whether it ran. The changelog gets no tombstones; the owner purges it.
	Expire(b Batch)

	// Dirty is the number of entries that the next Flush will write, DirtyBytes about how many bytes they hold, and
	// CachedBytes how many bytes all entries in memory hold.
	Dirty() int
	DirtyBytes() int
	CachedBytes() int

	// Lookups returns how often a key was looked up so far, and was in memory (a hit) or had to be read from the database.
	Lookups() Lookups

	// Close gives the memory of the store back to the budget.
	Close()
}

// Lookups counts look-ups of keys in a store.
type Lookups struct {
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
}

// Stores hands a task's opened stores to a handler. A processor.Context is one.
type Stores interface {
	// Store returns the store attached to this step under a name.
	Store(name string) (Store, error)

	// Fail says that the step cannot work; the task stops with the error before its first record.
	Fail(err error)
}
