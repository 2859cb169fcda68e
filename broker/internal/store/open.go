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

// Open opens the store in a directory, which must exist. On a full disk it fails, because a store that waits for room before
// it is open helps nobody. Once it is open, writes wait for room.
func Open(opts Options) (*DB, error) {
	db := &DB{dir: opts.Dir, log: opts.Logger, cache: pebble.NewCache(cacheSize), thread: newThread(), broken: make(chan struct{})}
	fs := opts.fs
	if fs == nil {
		fs = vfs.Default
	}
	if opts.Dir == "" {
		fs, db.dir = vfs.NewMem(), "memory"
	}
	if opts.Dir == "" || opts.ReadOnly {
		opts.Durability = Fsync // there is nothing that a power cut could take
	}
	db.disk = newDisk(fs, opts.Durability, opts.Logger, func(err error) { _ = db.fail(err) })
	if err := db.attempt(func() error { return db.open(opts) }); err != nil {
		db.cache.Unref()
		return nil, fmt.Errorf("broker: open %s: %w", db.dir, Explain(err))
	}
	go db.thread.run(db.apply)
	if err := db.attempt(func() error { return db.prepare(opts.ReadOnly) }); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: open %s: %w", db.dir, Explain(err)), db.Close())
	}
	db.disk.waits.Store(true)
	return db, nil
}

// attempt runs a step of opening. When a goroutine of pebble's fails for good, the step may never end, and is abandoned.
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

// prepare reads what every store has, and writes it into a new one.
func (db *DB) prepare(readOnly bool) error {
	for _, step := range []func(readOnly bool) error{db.markLog, db.checkVersion, db.loadClusterID} {
		if err := step(readOnly); err != nil {
			return err
		}
	}
	return nil
}

// roomForFiles is how much room an open store needs for its small files, in bytes.
const roomForFiles = 1 << 20

// checkRoom returns an error if the disk has no room for opening. Pebble first writes into tables what is in its write-ahead
// log alone, and on a full disk tries that for ever.
func (db *DB) checkRoom(opts Options) error {
	_, free, ok := db.Room()
	if !ok {
		return nil
	}
	logged, err := db.logSize()
	if err != nil || free >= logged+roomForFiles {
		return err
	}
	if logged > 0 { // a log file may be larger than what is in it alone
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

// logSize is the size of the files of the write-ahead log.
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

// unwritten is how many bytes the write-ahead log holds that are in no table.
func (db *DB) unwritten(opts Options) (int64, error) {
	opts.ReadOnly = true
	reading, err := pebble.Open(db.dir, db.options(opts))
	if err != nil {
		return 0, err
	}
	size := int64(reading.Metrics().MemTable.Size)
	return size, reading.Close()
}
