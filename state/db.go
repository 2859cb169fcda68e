package state

// DB is one task's ordered key space: every store of the task lives in it under a prefix of its own, so one batch commits
// them all. Keys are ordered byte by byte.
//
// One goroutine owns a DB, its iterators and its batches. Only Snapshot may be called from others.
type DB interface {
	Reader

	// NewBatch begins a set of changes.
	NewBatch() Batch

	// Snapshot is the committed content at this moment, unmoved by later batches. It may be taken from any goroutine,
	// read from several, and must be closed before the DB.
	Snapshot() Snapshot

	// Close releases the DB. Batches, iterators and snapshots must be closed before.
	Close() error
}

// Reader reads committed keys.
type Reader interface {
	// Get appends the value of key to dst. If there is none, found is false and value is dst.
	Get(dst, key []byte) (value []byte, found bool, err error)

	// Iter iterates over the keys from lower up to but not including upper; nil means no bound. The iterator does not see
	// batches committed after it was made. It stands before its first key.
	Iter(lower, upper []byte) (Iterator, error)
}

// Snapshot is a Reader of one moment. Several goroutines may read it at once.
type Snapshot interface {
	Reader
	Close() error
}

// Iterator moves over keys in order. Its movements tell whether they found a key; when one says no, Error tells whether that
// was the end or a failure. Key and Value are valid until the next movement.
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

// Batch is a list of changes that Commit applies in the order they were made, all or none. It copies what it is given.
type Batch interface {
	Set(key, value []byte)
	Delete(key []byte)
	DeleteRange(lower, upper []byte) // from lower up to but not including upper

	// Commit applies the changes and empties the batch.
	Commit() error

	// Close drops what was not committed. It may follow Commit.
	Close() error
}
