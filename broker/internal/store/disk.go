package store

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/rio-streams/rio/metrics"
)

// disk is the file system that pebble uses. It differs from the one below it in two ways.
//
// With durability OS it does not sync the write-ahead log to the disk. Committing without sync would not do: pebble
// then buffers up to 32 KiB in the memory of the process, which kill -9 loses. So pebble commits with sync, which makes
// it write each commit to the operating system, and this file system ignores the sync.
//
// Once the store is open, a write that finds the disk full waits and retries. For pebble a failed write of its log is
// fatal, and a failed flush is retried at once, or panics; for the broker a full disk is temporary. While the store is
// being opened or closed, nothing waits: a write to a full disk fails the store, and its goroutine stops. Only a write
// of the log returns the error when the store is closed, because a commit waits for it.
type disk struct {
	vfs.FS
	durability Durability
	log        *slog.Logger

	waitForSpace atomic.Bool   // the store is open: writes wait for space
	full         atomic.Int64  // number of writes that wait for space
	unsynced     atomic.Bool   // a log file was closed unsynced, because the disk was full
	fail         func(error)   // called when a write is abandoned
	closing      chan struct{} // closed when the store is closed: writes stop waiting
	stopOnce     sync.Once
	syncs        *metrics.Histogram // of the log

	newestLog atomic.Pointer[file] // nil before anything is written
}

// logCategory is the category of pebble's write-ahead log files.
const logCategory = "pebble-wal"

// roomInterval is how often a write to a full disk is retried.
const roomInterval = 20 * time.Millisecond

func newDisk(fs vfs.FS, durability Durability, log *slog.Logger, fail func(error)) *disk {
	return &disk{FS: fs, durability: durability, log: log, fail: fail, closing: make(chan struct{}), syncs: metrics.NewHistogram(metrics.BrokerSync)}
}

func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	var f vfs.File
	err := d.retry(name, category, func() (err error) { f, err = d.FS.Create(name, category); return err })
	return d.wrap(f, name, category, err)
}

func (d *disk) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.ReuseForWrite(oldname, newname, category)
	return d.wrap(f, newname, category, err)
}

func (d *disk) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	var f vfs.File
	err := d.retry(name, category, func() (err error) { f, err = d.FS.OpenReadWrite(name, category, opts...); return err })
	return d.wrap(f, name, category, err)
}

// Unwrap implements vfs.FS.
func (d *disk) Unwrap() vfs.FS { return d.FS }

func (d *disk) wrap(f vfs.File, name string, category vfs.DiskWriteCategory, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	wrapped := &file{File: f, disk: d, name: name, category: category, unsynced: category == logCategory && d.durability == OS}
	if category == logCategory {
		d.newestLog.Store(wrapped)
	}
	return wrapped, nil
}

// retry calls do until the disk is not full.
func (d *disk) retry(name string, category vfs.DiskWriteCategory, do func() error) error {
	err := do()
	if !isFull(err) {
		return err
	}
	isOpen := d.waitForSpace.Load()
	if isOpen {
		err = d.await(name, err, do)
	}
	if isFull(err) && !(isOpen && category == logCategory) {
		d.fail(err)
		select {}
	}
	return err
}

// await retries do until the disk is not full, or the store is closed.
func (d *disk) await(name string, err error, do func() error) error {
	d.log.Error("broker: the disk is full: waiting for space", "file", name)
	d.full.Add(1)
	defer d.full.Add(-1)
	again := time.NewTicker(roomInterval)
	defer again.Stop()
	for isFull(err) {
		select {
		case <-again.C:
			err = do()
		case <-d.closing:
			return err
		}
	}
	d.log.Warn("broker: there is space on the disk again", "file", name)
	return err
}

// isFull reports whether the disk, or the user's quota, is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// stopWaiting makes waiting writes fail.
func (d *disk) stopWaiting() { d.stopOnce.Do(func() { close(d.closing) }) }

// file is a database file that is being written.
type file struct {
	vfs.File
	disk     *disk
	name     string
	category vfs.DiskWriteCategory
	unsynced bool

	written, reserved int64 // bytes of a log file
}

// logStep is how much space is reserved for a log file at once. Pebble would reserve that of the largest memtable for each, also
// for the many small ones of a store that has just begun.
const logStep = 1 << 20

// reserve reserves space for n more bytes of a log file that is synced: that makes syncing faster. It ignores errors.
func (f *file) reserve(n int) {
	f.written += int64(n)
	if f.category != logCategory || f.unsynced || f.written <= f.reserved {
		return
	}
	length := (f.written - f.reserved + logStep - 1) / logStep * logStep
	_ = f.File.Preallocate(f.reserved, length)
	f.reserved += length
}

func (f *file) Write(p []byte) (n int, err error) {
	f.reserve(len(p))
	err = f.disk.retry(f.name, f.category, func() error {
		m, err := f.File.Write(p[n:])
		n += m
		return err
	})
	return n, err
}

func (f *file) Sync() error {
	if f.unsynced {
		return nil
	}
	return f.sync(f.File.Sync)
}

func (f *file) SyncData() error {
	if f.unsynced {
		return nil
	}
	return f.sync(f.File.SyncData)
}

// sync syncs the file, and notes how long that took if it is of the log.
func (f *file) sync(sync func() error) error {
	began := time.Now()
	err := f.disk.retry(f.name, f.category, sync)
	if f.category == logCategory && err == nil {
		f.disk.syncs.Observe(time.Since(began).Seconds())
	}
	return err
}

func (f *file) SyncTo(length int64) (bool, error) {
	if f.unsynced {
		return false, nil
	}
	return f.File.SyncTo(length)
}

// Preallocate ignores a full disk: it only speeds up writes. Space for a log file is reserved when it is written.
func (f *file) Preallocate(offset, length int64) error {
	if f.category == logCategory {
		return nil
	}
	if err := f.File.Preallocate(offset, length); !isFull(err) {
		return err
	}
	return nil
}

// Close syncs a log file that was not synced before: after a power failure, all log files but the last are complete
// (powercut.go).
func (f *file) Close() error {
	if !f.unsynced {
		return f.File.Close()
	}
	err := f.File.Sync()
	if isFull(err) {
		f.disk.unsynced.Store(true)
		err = nil
	}
	return errors.Join(err, f.File.Close())
}
