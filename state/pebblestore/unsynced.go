package pebblestore

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// unsynced is a file system that does not sync the write-ahead log to the disk. Committing without sync would not do:
// pebble then buffers up to 32 KiB in the memory of the process, which kill -9 loses. So pebble commits with sync,
// which makes it write each commit to the operating system and reports a failed write at once, and this file system
// ignores the sync.
type unsynced struct{ vfs.FS }

// logCategory is the category of pebble's write-ahead log files.
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

// logFile is synced once, when the log continues in the next file: after a power failure, all files but the last are
// complete. It takes no more of the disk than was written to it: space is reserved ahead to make syncing faster.
type logFile struct{ vfs.File }

func (f logFile) Sync() error                  { return nil }
func (f logFile) SyncData() error              { return nil }
func (f logFile) SyncTo(int64) (bool, error)   { return false, nil }
func (f logFile) Preallocate(_, _ int64) error { return nil }

func (f logFile) Close() error { return errors.Join(f.File.Sync(), f.File.Close()) }
