package store

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// Durability says which failures a commit survives.
type Durability string

const (
	// Fsync syncs each commit to the disk: it survives a power failure.
	Fsync Durability = "fsync"

	// OS writes each commit to the operating system: it survives kill -9, but not a power failure.
	OS Durability = "os"
)

// Options configure a store. The zero value keeps everything in memory.
type Options struct {
	Dir        string       // default: none, in memory
	Durability Durability   // default: Fsync
	OpenFiles  int          // how many files are kept open; default: 100
	ReadOnly   bool         // change nothing
	Logger     *slog.Logger // must be set

	fs vfs.FS // for tests; default: that of the operating system
}

// DB is an open store.
type DB struct {
	pebble    *pebble.DB
	cache     *pebble.Cache
	disk      *disk
	dir       string
	log       *slog.Logger
	committer *committer // for large commits
	failed    atomic.Pointer[error]
	broken    chan struct{} // closed when failed is set

	clusterID string
}

// version is the version of the disk format. Other versions are refused.
const version = 1

const (
	memtableSize = 16 << 20
	cacheSize    = 8 << 20
	openFiles    = 100

	// blobBytes is the size from which values are stored in blob files.
	blobBytes = 1 << 10
)

func (db *DB) options(opts Options) *pebble.Options {
	o := &pebble.Options{
		FS:                          db.disk,
		Cache:                       db.cache,
		MaxOpenFiles:                cmp.Or(opts.OpenFiles, openFiles),
		MemTableSize:                memtableSize,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       64,
		FormatMajorVersion:          pebble.FormatValueSeparation,
		ReadOnly:                    opts.ReadOnly,
		Logger:                      logger{db},
		EventListener:               db.listener(),
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	o.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
		return pebble.ValueSeparationPolicy{
			Enabled: true, MinimumSize: blobBytes, MaxBlobReferenceDepth: 100,
			RewriteMinimumAge: time.Minute, TargetGarbageRatio: 0.3,
		}
	}
	return o
}

func (db *DB) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			db.log.Error("broker: background work failed", "error", Explain(err))
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			db.log.Error("broker: damaged data found", "file", filepath.Base(info.Path), "error", info.Details)
		},
	}
}

func (db *DB) checkVersion(readOnly bool) error {
	value, err := db.get([]byte{byte(kindVersion)})
	switch {
	case err != nil:
		return err
	case value == nil && readOnly:
		return errors.New("this directory holds no log of a broker")
	case value == nil:
		return db.pebble.Set([]byte{byte(kindVersion)}, []byte{version}, pebble.Sync)
	case len(value) != 1 || value[0] != version:
		return fmt.Errorf("the directory has format %d, this program supports %d: use the version of the program that wrote it", value, version)
	}
	return nil
}

// loadClusterID loads the cluster id of this store, and generates one for a store without. Clients keep state under the
// id, so that another store, with other records, is not mistaken for this one.
func (db *DB) loadClusterID(readOnly bool) error {
	key := []byte{byte(kindCluster)}
	id, err := db.get(key)
	if err == nil && id == nil && !readOnly {
		id = make([]byte, clusterIDSize)
		rand.Read(id) // never fails
		err = db.pebble.Set(key, id, pebble.Sync)
	}
	if err != nil {
		return err
	}
	db.clusterID = base64.RawURLEncoding.EncodeToString(id)
	return nil
}

// clusterIDSize is the size of a cluster id in bytes, that of Kafka's.
const clusterIDSize = 16

// ClusterID returns the cluster id of the store: 22 random characters, generated when the store was created.
func (db *DB) ClusterID() string { return db.clusterID }

// get returns a copy of a value, nil if there is none.
func (db *DB) get(key []byte) ([]byte, error) {
	value, closer, err := db.pebble.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, value...), closer.Close()
}

// Commit makes a batch durable. After an error, all later commits fail. Only one goroutine may commit.
func (db *DB) Commit(b *Batch) error {
	if err := db.Failed(); err != nil {
		return err
	}
	if b.Size() >= largeBatchBytes {
		return db.committer.commit(b.pebble)
	}
	return db.apply(b.pebble)
}

func (db *DB) apply(b *pebble.Batch) error {
	if err := guard(func() error { return db.pebble.Apply(b, pebble.Sync) }); err != nil {
		return db.fail(err)
	}
	return nil
}

func (db *DB) fail(err error) error {
	err = fmt.Errorf("broker: %s accepts no more writes until the broker is restarted: %w", db.dir, Explain(err))
	if db.failed.CompareAndSwap(nil, &err) {
		close(db.broken)
		if db.disk.waitForSpace.Load() { // otherwise Open returns the error
			db.log.Error(err.Error())
		}
	}
	return *db.failed.Load()
}

// Failed returns the error that makes commits fail, or nil.
func (db *DB) Failed() error {
	if err := db.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// reserve is the disk space that records must leave free, for flushing memory and for deleting topics: a tenth of a
// small disk, this much of a large one.
const reserve = 128 << 20

// Full reports whether the disk has no space for more records.
func (db *DB) Full() bool {
	if db.disk.full.Load() > 0 {
		return true
	}
	usage, err := db.disk.GetDiskUsage(db.dir)
	return err == nil && usage.TotalBytes > 0 && usage.AvailBytes < min(reserve, usage.TotalBytes/10)
}

// Close flushes everything and closes the files. On a full disk it returns an error and leaves the flush to the next
// start: every acknowledged commit is in the write-ahead log.
func (db *DB) Close() error {
	db.committer.close()
	db.Release()
	if err := db.Failed(); err != nil {
		return err
	}
	if db.disk.full.Load() > 0 {
		return fmt.Errorf("broker: close %s: %w", db.dir, Explain(syscall.ENOSPC))
	}
	live := int(db.pebble.Metrics().WAL.Files) // no new one is made while nothing is committed
	if err := guard(db.pebble.Close); err != nil {
		return fmt.Errorf("broker: close %s: %w", db.dir, Explain(err))
	}
	db.cache.Unref()
	db.tidyLogs(live)
	if db.disk.durability == OS && !db.disk.unsynced.Load() {
		if err := db.markSynced(); err != nil {
			return fmt.Errorf("broker: close %s: %w", db.dir, Explain(err))
		}
	}
	return nil
}

// tidyLogs frees the space that a closed store does not need for its log. Only the newest log files, as many as given, hold what tables
// lack. Pebble keeps older ones to write to them again, and removes them at the next start. The newest may be one of these, and then has
// old content behind the new, or else space that was reserved. An error does no harm.
func (db *DB) tidyLogs(live int) {
	newest := db.disk.newestLog.Load()
	if _, _, onDisk := db.Room(); !onDisk || newest == nil {
		return
	}
	logs, err := wal.Scan(wal.Dir{FS: db.disk, Dirname: db.dir})
	for i := 0; err == nil && i < len(logs)-live; i++ {
		for segment := range logs[i].NumSegments() {
			_, name := logs[i].SegmentLocation(segment)
			err = errors.Join(err, db.disk.Remove(name))
		}
	}
	if err = errors.Join(err, truncate(newest.name, newest.written)); err != nil {
		db.log.Warn("broker: cannot free the space of old log files; the next start does", "directory", db.dir, "error", err)
	}
}

// Release makes commits fail that wait for space on a full disk.
func (db *DB) Release() { db.disk.stopWaiting() }

// Explain adds to a file system error how to fix it.
func Explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: the disk is full: free some space and start again; no acknowledged record is lost", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: mount it writable, or choose another directory", err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: choose a directory that this user may write", err)
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: a file is damaged: `rio broker check` reports what", err)
	}
	return err
}

// Dir returns the directory of the store.
func (db *DB) Dir() string { return db.dir }

// Room returns the size of the disk and its free space, in bytes; ok is false for a store in memory.
func (db *DB) Room() (total, free int64, ok bool) {
	usage, err := db.disk.GetDiskUsage(db.dir)
	if err != nil || usage.TotalBytes == 0 {
		return 0, 0, false
	}
	return int64(usage.TotalBytes), int64(usage.AvailBytes), true
}
