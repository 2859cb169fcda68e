package pebblestore

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// unsynced is a file system on which a sync of the write-ahead log does not reach the disk. A commit without sync would not do: pebble
// keeps it in the memory of the process until 32 KiB have come together, and kill -9 loses it. So pebble commits with sync, which makes
// it hand each commit to the operating system, and wait for that alone; this also tells a failed write at once.
type unsynced struct{ vfs.FS }

// logCategory is how pebble marks the files of its write-ahead log.
const logCategory = "pebble-wal"

func (fs unsynced) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	return wrapLog(f, category, err)
}

func (fs unsynced) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(oldname, newname, category)
	return wrapLog(f, category, err)
}

func (fs unsynced) Unwrap() vfs.FS { return fs.FS }

func wrapLog(f vfs.File, category vfs.DiskWriteCategory, err error) (vfs.File, error) {
	if err != nil || category != logCategory {
		return f, err
	}
	return logFile{f}, nil
}

// logFile is synced once, when the log goes on in the next file: all files but the last are whole after a power failure.
type logFile struct{ vfs.File }

func (f logFile) Sync() error                { return nil }
func (f logFile) SyncData() error            { return nil }
func (f logFile) SyncTo(int64) (bool, error) { return false, nil }

func (f logFile) Close() error { return errors.Join(f.File.Sync(), f.File.Close()) }
