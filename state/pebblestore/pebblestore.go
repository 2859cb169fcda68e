package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/rio-streams/rio/state"
)

// WAL says how a commit reaches the disk. The changelog in Kafka holds everything that a database holds, and the
// database knows up to which position; what is lost here is restored from there.
type WAL int

const (
	// Buffered writes each commit to the operating system: a killed process loses nothing, a power failure the last
	// commits.
	Buffered WAL = iota

	// Synced syncs each commit to the disk: nothing is ever lost, but each commit costs an fsync.
	Synced

	// Off keeps commits in memory until a memtable is full: a killed process loses them. While the disk is full, a
	// commit may wait for space.
	Off
)

// Config configures a database. The zero value works.
type Config struct {
	// Resources are shared by the databases of a process. Default: resources of its own, NewResources(Limits{}).
	Resources *Resources

	// WAL says what a crash may lose. Default: Buffered.
	WAL WAL

	// Log receives pebble's messages: background failures as errors, the rest as debug messages. Default: nothing is
	// logged; the next Commit still returns failures.
	Log *slog.Logger

	fs vfs.FS // for tests
}

// Open opens the database in dir, creating it if it does not exist. A directory can be open in one process at a time.
func Open(dir string, cfg Config) (state.DB, error) {
	if cfg.fs == nil {
		cfg.fs = vfs.Default
	}
	own := cfg.Resources == nil
	if own {
		cfg.Resources = NewResources(Limits{})
		defer cfg.Resources.Close()
	}
	if err := cfg.fs.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("pebblestore: create %s: %w", dir, explain(err))
	}
	lock, err := pebble.LockDirectory(dir, cfg.fs)
	if err != nil {
		return nil, fmt.Errorf("pebblestore: lock %s: %w", dir, explainLock(err))
	}
	d := &db{dir: dir, lock: lock, write: pebble.Sync}
	switch cfg.WAL {
	case Buffered:
		cfg.fs = unsynced{cfg.fs}
	case Off:
		d.write, d.unlogged = pebble.NoSync, true
	}
	if d.pebble, err = open(dir, d.options(cfg)); err != nil {
		return nil, errors.Join(fmt.Errorf("pebblestore: open %s: %w", dir, explainOpen(err)), lock.Close())
	}
	return d, nil
}

// open is pebble.Open, but returns pebble's fatal errors.
func open(dir string, opts *pebble.Options) (db *pebble.DB, err error) {
	defer catch(&err)
	return pebble.Open(dir, opts)
}

// format is the newest format in which the log does not record up to where it was synced. Newer formats need this
// record to be right, which it is not on the file system unsynced: they would treat a log truncated by a power failure as
// damaged.
const format = pebble.FormatColumnarBlocks

// options returns options for many small databases in one process: little memory each, and point lookups of keys that
// often do not exist.
func (d *db) options(cfg Config) *pebble.Options {
	logger := logger{dir: d.dir, log: cfg.Log}
	opts := &pebble.Options{
		FS:                          cfg.fs,
		Lock:                        d.lock,
		Cache:                       cfg.Resources.cache,
		FileCache:                   cfg.Resources.files,
		MemTableSize:                cfg.Resources.memtable,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		DisableWAL:                  cfg.WAL == Off,
		FormatMajorVersion:          format,
		Logger:                      logger,
		EventListener:               d.listener(logger, &cfg.Resources.events),
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	return opts
}

// listener records background failures, so that a commit returns them instead of waiting forever for a flush.
func (d *db) listener(log logger, events *events) *pebble.EventListener {
	fail := func(err error) {
		d.failure.Store(&err)
		log.Errorf("%v", explain(err))
	}
	return &pebble.EventListener{
		BackgroundError: fail,
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			err := info.Details
			d.broken.Store(&err)
			fail(err)
		},
		FlushEnd: func(info pebble.FlushInfo) {
			if info.Err == nil {
				d.failure.Store(nil)
			}
		},
		CompactionEnd:   events.compacted,
		WriteStallBegin: func(pebble.WriteStallBeginInfo) { events.stallBegins() },
		WriteStallEnd:   events.stallEnds,
	}
}

// db is a state.DB in pebble.
type db struct {
	dir    string
	pebble *pebble.DB
	lock   *pebble.Lock
	write  *pebble.WriteOptions

	unlogged bool // without a WAL

	failure atomic.Pointer[error] // of the last background flush or compaction
	broken  atomic.Pointer[error] // set once nothing can be written any more

	mu     sync.RWMutex // guards Snapshot, called by others, against Close
	closed bool
}

var errClosed = errors.New("the database is closed")

// wrap adds to an error the database and how to fix it.
func (d *db) wrap(doing string, err error) error {
	return fmt.Errorf("pebblestore: %s %s: %w", doing, d.dir, explain(err))
}

func (d *db) Get(dst, key []byte) ([]byte, bool, error) {
	if d.closed {
		return dst, false, d.wrap("read", errClosed)
	}
	return d.get(d.pebble, dst, key)
}

func (d *db) get(r pebble.Reader, dst, key []byte) ([]byte, bool, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, d.wrap("read", err)
	}
	dst = append(dst, value...)
	return dst, true, closer.Close()
}

func (d *db) Iter(lower, upper []byte) (state.Iterator, error) {
	if d.closed {
		return nil, d.wrap("read", errClosed)
	}
	return d.iter(d.pebble, lower, upper)
}

func (d *db) iter(r pebble.Reader, lower, upper []byte) (state.Iterator, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, d.wrap("read", err)
	}
	return &iterator{Iterator: it, db: d}, nil
}

func (d *db) Snapshot() state.Snapshot {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return closedSnapshot{d}
	}
	return snapshot{d.pebble.NewSnapshot(), d}
}

func (d *db) NewBatch() state.Batch { return &batch{db: d} }

func (d *db) Close() (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	if broken := d.broken.Load(); broken != nil && errors.As(*broken, new(stuck)) {
		return nil // the directory stays locked: pebble may still write to it
	}
	if err := errors.Join(d.finish(), d.lock.Close()); err != nil {
		return d.wrap("close", err)
	}
	return nil
}

// finish closes pebble. Without a WAL, it flushes first.
func (d *db) finish() (err error) {
	defer catch(&err)
	if d.unlogged && d.broken.Load() == nil {
		err = d.pebble.Flush()
	}
	return errors.Join(err, d.pebble.Close())
}

// snapshot reads a snapshot of a db.
type snapshot struct {
	pebble *pebble.Snapshot
	db     *db
}

func (s snapshot) Get(dst, key []byte) ([]byte, bool, error) { return s.db.get(s.pebble, dst, key) }

func (s snapshot) Iter(lower, upper []byte) (state.Iterator, error) {
	return s.db.iter(s.pebble, lower, upper)
}

func (s snapshot) Close() error { return s.pebble.Close() }

// closedSnapshot is the snapshot of a closed db.
type closedSnapshot struct{ db *db }

func (s closedSnapshot) Get(dst, _ []byte) ([]byte, bool, error) {
	return dst, false, s.db.wrap("read", errClosed)
}

func (s closedSnapshot) Iter(_, _ []byte) (state.Iterator, error) {
	return nil, s.db.wrap("read", errClosed)
}

func (s closedSnapshot) Close() error { return nil }

// iterator is pebble's iterator; its errors name the database.
type iterator struct {
	*pebble.Iterator
	db  *db
	err error
}

func (i *iterator) Value() []byte {
	value, err := i.ValueAndErr()
	if err != nil {
		i.err = err
	}
	return value
}

func (i *iterator) Error() error {
	if err := errors.Join(i.err, i.Iterator.Error()); err != nil {
		return i.db.wrap("read", err)
	}
	return nil
}

// batch is a pebble batch, created on the first change.
type batch struct {
	db     *db
	pebble *pebble.Batch
	err    error
}

func (b *batch) change(f func(*pebble.Batch) error) {
	if b.pebble == nil {
		b.pebble = b.db.pebble.NewBatch()
	}
	if err := f(b.pebble); err != nil && b.err == nil {
		b.err = err
	}
}

func (b *batch) Set(key, value []byte) {
	b.change(func(p *pebble.Batch) error { return p.Set(key, value, nil) })
}

func (b *batch) Delete(key []byte) {
	b.change(func(p *pebble.Batch) error { return p.Delete(key, nil) })
}

func (b *batch) DeleteRange(lower, upper []byte) {
	b.change(func(p *pebble.Batch) error { return p.DeleteRange(lower, upper, nil) })
}

func (b *batch) Commit() error {
	d := b.db
	for _, failure := range []*error{d.broken.Load(), d.failure.Load(), &b.err} {
		if failure != nil && *failure != nil {
			return d.wrap("write", *failure)
		}
	}
	if d.closed {
		return d.wrap("write", errClosed)
	}
	if b.pebble == nil {
		return nil
	}
	if err := b.commit(); err != nil {
		return d.wrap("write", err)
	}
	return b.Close()
}

// commit commits the batch. After an error, all later commits fail.
func (b *batch) commit() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: %w", err, ErrBroken)
			b.db.broken.Store(&err)
		}
	}()
	defer catch(&err)
	return b.pebble.Commit(b.db.write)
}

func (b *batch) Close() error {
	if b.pebble == nil {
		return nil
	}
	p := b.pebble
	b.pebble = nil
	return p.Close()
}
