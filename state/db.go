package state

// DB is the ordered key space of one task. Every store of the task uses its own prefix, so one batch commits all
// stores. Keys are ordered byte by byte.
//
// One goroutine owns a DB, its iterators and its batches. Only Snapshot may be called from others.
type DB interface {
	Reader

	// NewBatch returns an empty batch of changes.
	NewBatch() Batch

	// Snapshot returns the currently committed content; later batches do not affect it. It may be called from any
	// goroutine, and several may read the snapshot. Close it before the DB.
	Snapshot() Snapshot

	// Close releases the DB. Close its batches, iterators and snapshots before.
	Close() error
}

// Reader reads committed keys.
type Reader interface {
	// Get appends the value of key to dst. If there is none, found is false and value is dst.
	Get(dst, key []byte) (value []byte, found bool, err error)

	// Iter iterates over the keys from lower (inclusive) to upper (exclusive); nil means no bound. The iterator does
	// not see batches committed after it was created. It starts before the first key.
	Iter(lower, upper []byte) (Iterator, error)
}

// Snapshot is a Reader of one state of a DB. Several goroutines may read it at once.
type Snapshot interface {
	Reader
	Close() error
}

// Iterator iterates over keys in order. Its moves report whether they found a key; after false, Error returns the
// error, or nil at the end. Key and Value are valid until the next move.
type Iterator interface {
	First() bool
	Last() bool
	SeekGE(key []byte) bool // the first key ≥ key, within the bounds
	Next() bool
	Prev() bool
	Key() []byte
	Value() []byte
	Error() error
	Close() error
}

// Batch collects changes. Commit applies all of them, in order, or none. A batch copies its arguments.
type Batch interface {
	Set(key, value []byte)
	Delete(key []byte)
	DeleteRange(lower, upper []byte) // from lower (inclusive) to upper (exclusive)

	// Commit applies the changes and empties the batch.
	Commit() error

	// Close drops uncommitted changes. It may follow Commit.
	Close() error
}
