package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// unsyncedMark is an empty file in the directory. While it exists, the newest write-ahead log file may not be on the
// disk completely: it is created before a store with durability OS commits anything, and removed when everything has
// been synced, by a clean close or by a start with durability Fsync.
//
// The operating system writes the pages of a file in any order, so a power failure may leave holes in the middle.
// Pebble does not take a hole for the end of its log, but for damage, and refuses to open: each chunk of its log
// records up to where the log was synced, and with durability OS (disk.go) that is not true. If the mark exists, a
// start truncates the log at the first hole. Commits are in the log in order, so the result is an earlier state of the
// store. Without the mark the log was synced, and damage remains an error.
//
// Only the newest file needs this. Pebble closes a log file, which syncs it, before it starts the next one and before
// it flushes the data of the file; so tables and blobs are never ahead of a truncated log.
const unsyncedMark = "UNSYNCED"

// cutDamage truncates the log of a store that was not synced and not closed cleanly, if pebble could not read it
// otherwise. If a power failure interrupts it, the next start repeats it. No other process may have the directory open.
func (db *DB) cutDamage(readOnly bool) error {
	_, err := db.disk.Stat(db.markName())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	name, end, err := db.findDamage()
	if err != nil || name == "" {
		return err
	}
	info, err := db.disk.Stat(name)
	if err != nil {
		return err
	}
	file, behind := filepath.Base(name), info.Size()-end
	if readOnly {
		return fmt.Errorf("the last run had durability %s and ended with a power failure: parts of %s are missing from byte %d on; "+
			"the next start of the broker truncates the last %d bytes, and then the rest can be checked", OS, file, end, behind)
	}
	if err := truncate(name, end); err != nil {
		return err
	}
	db.log.Warn("broker: a power failure has left holes in the log, which durability os does not sync: "+
		"truncating it at the first hole; the commits after it are lost",
		"directory", db.dir, "file", file, "kept", end, "cut", behind)
	return nil
}

// findDamage returns the newest log file and where its intact records end, if something was written after them. It
// reads as pebble does, and finds what pebble refuses; what pebble accepts as the end of a log, such as old content of
// a reused file, is not damage. The name is "" if there is no damage.
func (db *DB) findDamage() (name string, end int64, err error) {
	logs, err := wal.Scan(wal.Dir{FS: db.disk, Dirname: db.dir})
	if err != nil || len(logs) == 0 {
		return "", 0, err
	}
	r := logs[len(logs)-1].OpenForRead()
	defer r.Close()
	for {
		_, at, err := r.NextRecord()
		switch {
		case err == nil:
		case errors.Is(err, record.ErrInvalidChunk), errors.Is(err, record.ErrZeroedChunk):
			return at.PhysicalFile, at.Physical, nil
		case errors.Is(err, io.EOF), errors.Is(err, record.ErrUnexpectedEOF):
			return "", 0, nil
		default:
			return "", 0, err
		}
	}
}

// truncate truncates a file durably. Pebble's file systems do not support it, but only a real directory can have lost
// anything.
func truncate(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

func (db *DB) markName() string { return db.disk.PathJoin(db.dir, unsyncedMark) }

// markLog records in an open store whether its log will be synced. By then pebble has flushed the old log and started
// an empty one. Doing so earlier would be wrong: if a start fails on a log that was synced, the mark would make the
// next start truncate that log.
func (db *DB) markLog(readOnly bool) error {
	switch {
	case readOnly:
		return nil
	case db.disk.durability == OS:
		return db.markUnsynced()
	default:
		return db.markSynced()
	}
}

// markUnsynced creates the mark durably.
func (db *DB) markUnsynced() error {
	f, err := db.disk.Create(db.markName(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncDir(db.disk, db.dir)
}

// markSynced removes the mark, if it exists, durably.
func (db *DB) markSynced() error {
	err := db.disk.Remove(db.markName())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(db.disk, db.dir)
}
