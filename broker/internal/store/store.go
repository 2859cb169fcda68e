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
)

// Durability says what an answered commit survives.
type Durability string

const (
	// Fsync waits for the disk: an answered commit survives a power cut.
	Fsync Durability = "fsync"

	// OS waits for the operating system to have it: it survives kill -9, not a power cut.
	OS Durability = "os"
)

// Options say how to open a store. The zero value keeps everything in memory.
type Options struct {
	Dir        string       // default: none, in memory
	Durability Durability   // default: Fsync
	OpenFiles  int          // how many files are kept open; default: 100
	ReadOnly   bool         // change nothing
	Logger     *slog.Logger // must be set

	fs vfs.FS // of tests; default: that of the operating system
}

// DB is an open store.
type DB struct {
	pebble *pebble.DB
	cache  *pebble.Cache
	disk   *disk
	dir    string
	log    *slog.Logger
	thread *thread // of large commits
	failed atomic.Pointer[error]
	broken chan struct{} // closed when failed is set

	clusterID string
}

// version is the format of the entries. A directory of another one is refused.
const version = 1

const (
	memtableSize = 16 << 20
	cacheSize    = 8 << 20
	openFiles    = 100

	// separated is the size from which values go into blob files.
	separated = 1 << 10
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
			Enabled: true, MinimumSize: separated, MaxBlobReferenceDepth: 100,
			RewriteMinimumAge: time.Minute, TargetGarbageRatio: 0.3,
		}
	}
	return o
}

func (db *DB) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			db.log.Error("broker: work in the background failed", "error", Explain(err))
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
		return errors.New("there is no log of a broker in this directory")
	case value == nil:
		return db.pebble.Set([]byte{byte(kindVersion)}, []byte{version}, pebble.Sync)
	case len(value) != 1 || value[0] != version:
		return fmt.Errorf("the directory has format %d, this program knows %d: use the version of the program that wrote it", value, version)
	}
	return nil
}

// loadClusterID reads the id of the cluster that this store is. Clients keep state beside it, so that another store, which has
// other records, is not taken for this one. A store without an id gets one.
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

// ClusterID is the name of the cluster that the store is: 22 characters, chosen at random when the store was created.
func (db *DB) ClusterID() string { return db.clusterID }

// get returns a copy of a value, nil for none.
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

// Commit makes a batch durable. An error means that the store takes no more commits. Only one goroutine commits.
func (db *DB) Commit(b *Batch) error {
	if err := db.Failed(); err != nil {
		return err
	}
	if b.Size() >= heavy {
		return db.thread.commit(b.pebble)
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
	err = fmt.Errorf("broker: %s takes no more writes until the broker is started again: %w", db.dir, Explain(err))
	if db.failed.CompareAndSwap(nil, &err) {
		close(db.broken)
		if db.disk.waits.Load() { // else Open returns it
			db.log.Error(err.Error())
		}
	}
	return *db.failed.Load()
}

// Failed returns why the store takes no more commits, nil while it does.
func (db *DB) Failed() error {
	if err := db.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// reserve is the room that records must leave on the disk, so that what is in memory can be written and topics can be
// deleted: a tenth of a small disk, this much of a large one.
const reserve = 128 << 20

// Full reports whether the disk has no room for records.
func (db *DB) Full() bool {
	if db.disk.full.Load() > 0 {
		return true
	}
	usage, err := db.disk.GetDiskUsage(db.dir)
	return err == nil && usage.TotalBytes > 0 && usage.AvailBytes < min(reserve, usage.TotalBytes/10)
}

// Close writes everything out and closes the files. On a full disk, where it cannot, it says so and leaves that to the next
// start: every commit that was answered is in the write-ahead log.
func (db *DB) Close() error {
	db.thread.close()
	if err := db.Failed(); err != nil {
		return err
	}
	if db.disk.full.Load() > 0 {
		return fmt.Errorf("broker: close %s: %w", db.dir, Explain(syscall.ENOSPC))
	}
	if err := guard(db.pebble.Close); err != nil {
		return fmt.Errorf("broker: close %s: %w", db.dir, Explain(err))
	}
	db.cache.Unref()
	if db.disk.durability == OS && !db.disk.unwritten.Load() {
		if err := db.markSynced(); err != nil {
			return fmt.Errorf("broker: close %s: %w", db.dir, Explain(err))
		}
	}
	return nil
}

// Release lets commits that wait for room on a full disk fail.
func (db *DB) Release() { db.disk.giveUp() }

// Explain adds to an error of the file system what to do about it.
func Explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: the disk is full: make room and start again; nothing that was acknowledged is lost", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: mount it writable, or choose another directory", err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: choose a directory that this user may write", err)
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: a file is damaged: see what `rio broker check` says of it", err)
	}
	return err
}

// Dir is where the store is.
func (db *DB) Dir() string { return db.dir }

// Room is how large the disk is and how much of it is free, in bytes; not ok in memory.
func (db *DB) Room() (total, free int64, ok bool) {
	usage, err := db.disk.GetDiskUsage(db.dir)
	if err != nil || usage.TotalBytes == 0 {
		return 0, 0, false
	}
	return int64(usage.TotalBytes), int64(usage.AvailBytes), true
}
