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

// disk is the file system that pebble works on. It makes two differences to the one below it.
//
// With durability OS a sync of the write-ahead log does not reach the disk. A commit without sync would not do: pebble keeps
// it in the memory of the process until 32 KiB have come together, and kill -9 loses it. So pebble commits with sync, which
// makes it hand each commit to the operating system, and wait for that alone.
//
// A write that finds the disk full waits and tries again, once the store is open. To pebble a failed write of its log is fatal,
// and a failed flush one that it repeats at once, or a panic; to the broker a full disk is a time to wait for room. When nobody
// waits for room, because the store is being opened or closed, the store has failed, and the goroutine that would write stops.
// Only a write of the log returns the error when the store is closed: a commit waits for it.
type disk struct {
	vfs.FS
	durability Durability
	log        *slog.Logger

	waits     atomic.Bool   // the store is open: writes wait for room
	full      atomic.Int64  // writes that wait for room
	unwritten atomic.Bool   // there was no room to sync a log file that was closed
	fail      func(error)   // called when a write is given up
	given     chan struct{} // closed when the store is closed: nobody waits any longer
	give      sync.Once
	syncs     *metrics.Histogram // of the log
}

// logCategory is how pebble marks the files of its write-ahead log.
const logCategory = "pebble-wal"

// roomInterval is how often a write that waits for room tries again.
const roomInterval = 20 * time.Millisecond

func newDisk(fs vfs.FS, durability Durability, log *slog.Logger, fail func(error)) *disk {
	return &disk{FS: fs, durability: durability, log: log, fail: fail, given: make(chan struct{}), syncs: metrics.NewHistogram(metrics.BrokerSync)}
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
	return &file{File: f, disk: d, name: name, category: category, unsynced: category == logCategory && d.durability == OS}, nil
}

// retry does something until the disk is not full.
func (d *disk) retry(name string, category vfs.DiskWriteCategory, do func() error) error {
	err := do()
	if !isFull(err) {
		return err
	}
	isOpen := d.waits.Load()
	if isOpen {
		err = d.await(name, err, do)
	}
	if isFull(err) && !(isOpen && category == logCategory) {
		d.fail(err)
		select {}
	}
	return err
}

// await does something again and again until the disk is not full, or the store is closed.
func (d *disk) await(name string, err error, do func() error) error {
	d.log.Error("broker: the disk is full: waiting for room", "file", name)
	d.full.Add(1)
	defer d.full.Add(-1)
	again := time.NewTicker(roomInterval)
	defer again.Stop()
	for isFull(err) {
		select {
		case <-again.C:
			err = do()
		case <-d.given:
			return err
		}
	}
	d.log.Warn("broker: there is room on the disk again", "file", name)
	return err
}

// isFull reports whether there was no room on the disk, or none left of the user's quota.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// giveUp lets the writes that wait fail.
func (d *disk) giveUp() { d.give.Do(func() { close(d.given) }) }

// file is a file of the database that is being written.
type file struct {
	vfs.File
	disk     *disk
	name     string
	category vfs.DiskWriteCategory
	unsynced bool
}

func (f *file) Write(p []byte) (n int, err error) {
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

// Preallocate is for speed alone.
func (f *file) Preallocate(offset, length int64) error {
	if err := f.File.Preallocate(offset, length); !isFull(err) {
		return err
	}
	return nil
}

// Close syncs a log file that was not synced before: all log files but the last are whole after a power cut (powercut.go).
func (f *file) Close() error {
	if !f.unsynced {
		return f.File.Close()
	}
	err := f.File.Sync()
	if isFull(err) {
		f.disk.unwritten.Store(true)
		err = nil
	}
	return errors.Join(err, f.File.Close())
}
