package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// Open opens the store in a directory, which must exist. On a full disk it fails instead of waiting. Once the store is
// open, writes wait for space.
func Open(opts Options) (*DB, error) {
	db := &DB{dir: opts.Dir, log: opts.Logger, cache: pebble.NewCache(cacheSize), committer: newCommitter(), broken: make(chan struct{})}
	fs := opts.fs
	if fs == nil {
		fs = vfs.Default
	}
	if opts.Dir == "" {
		fs, db.dir = vfs.NewMem(), "memory"
	}
	if opts.Dir == "" || opts.ReadOnly {
		opts.Durability = Fsync // in memory there is nothing to lose in a power failure
	}
	db.disk = newDisk(fs, opts.Durability, opts.Logger, func(err error) { _ = db.fail(err) })
	if err := db.attempt(func() error { return db.open(opts) }); err != nil {
		db.cache.Unref()
		return nil, fmt.Errorf("broker: open %s: %w", db.dir, Explain(err))
	}
	go db.committer.run(db.apply)
	if err := db.attempt(func() error { return db.prepare(opts.ReadOnly) }); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: open %s: %w", db.dir, Explain(err)), db.Close())
	}
	db.disk.waitForSpace.Store(true)
	return db, nil
}

// attempt runs a step of opening. If a goroutine of pebble's fails fatally, the step may never return, and is
// abandoned.
func (db *DB) attempt(step func() error) error {
	result := make(chan error, 1)
	go func() { result <- guard(step) }()
	select {
	case err := <-result:
		return err
	case <-db.broken:
		return db.Failed()
	}
}

func (db *DB) open(opts Options) (err error) {
	if err := db.cutDamage(opts.ReadOnly); err != nil {
		return err
	}
	if !opts.ReadOnly {
		if err := db.checkRoom(opts); err != nil {
			return err
		}
	}
	db.pebble, err = pebble.Open(db.dir, db.options(opts))
	return err
}

// prepare reads the format and the cluster id, and writes them to a new store.
func (db *DB) prepare(readOnly bool) error {
	for _, step := range []func(readOnly bool) error{db.markLog, db.checkVersion, db.loadClusterID} {
		if err := step(readOnly); err != nil {
			return err
		}
	}
	return nil
}

// roomForFiles is the disk space that an open store needs for its small files, in bytes.
const roomForFiles = 1 << 20

// checkRoom returns an error if the disk lacks space for opening. Pebble first flushes its write-ahead log to tables,
// and on a full disk retries that forever.
func (db *DB) checkRoom(opts Options) error {
	_, free, ok := db.Room()
	if !ok {
		return nil
	}
	logged, err := db.logSize()
	if err != nil || free >= logged+roomForFiles {
		return err
	}
	if logged > 0 { // a log file may be larger than the data that is only in it
		unwritten, err := db.unwritten(opts)
		if err != nil {
			return err
		}
		logged = min(logged, unwritten)
	}
	if need := logged + roomForFiles; free < need {
		return fmt.Errorf("%d bytes are free, opening needs about %d: %w", free, need, syscall.ENOSPC)
	}
	return nil
}

// logSize returns the total size of the write-ahead log files.
func (db *DB) logSize() (size int64, err error) {
	logs, err := wal.Scan(wal.Dir{FS: db.disk, Dirname: db.dir})
	if err != nil {
		return 0, err
	}
	for _, log := range logs {
		n, err := log.PhysicalSize()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		size += int64(n)
	}
	return size, nil
}

// unwritten returns how many bytes of the write-ahead log are not in any table.
func (db *DB) unwritten(opts Options) (int64, error) {
	opts.ReadOnly = true
	reading, err := pebble.Open(db.dir, db.options(opts))
	if err != nil {
		return 0, err
	}
	size := int64(reading.Metrics().MemTable.Size)
	return size, reading.Close()
}
