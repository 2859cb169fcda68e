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

// unsyncedMark is an empty file in the directory. While it is there, the newest file of the write-ahead log may not have reached
// the disk: it is made before a store with durability OS commits anything, and removed when all that was written is synced, by a
// clean end or by a start with durability Fsync.
//
// The operating system writes the pages of a file in an order of its own, so after a power cut some may be missing in the
// middle. To pebble this is not where the log ends, but damage, and it does not open: each chunk of its log says how far the
// log was synced before it, and with durability OS (disk.go) that was not so. Where the mark is, a start cuts the log at the
// first place that is missing. Commits are in the log in their order, so what is left is a state in which the store has been.
// Where it is not, all of the log was synced, and damage stays an error.
//
// Only the newest file needs this. Pebble closes a log file, which syncs it, before it begins the next one and before it
// writes out what the file holds; so tables and blobs are never ahead of a log that is cut.
const unsyncedMark = "UNSYNCED"

// cutDamage cuts the log of a store that was not synced and did not end cleanly, if pebble could not read it otherwise. If a
// power cut comes in between, the next start does the same again. Nobody else may have the directory open.
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
		return fmt.Errorf("the last run had durability %s and ended with a power cut: parts of %s are missing from byte %d on; "+
			"a start of the broker cuts the %d bytes from there on, and then the rest can be checked", OS, file, end, behind)
	}
	if err := truncate(name, end); err != nil {
		return err
	}
	db.log.Warn("broker: a power cut has left holes in the log, which durability os does not sync: "+
		"it was cut at the first one, and the commits from there on are lost",
		"directory", db.dir, "file", file, "kept", end, "cut", behind)
	return nil
}

// findDamage returns the newest file of the log and where its whole records end, if more was written behind them. It reads as
// pebble will, and finds what pebble refuses; what pebble takes for the end of a log, such as the older content of a file that
// is used again, is not damage. The name is "" for none.
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

// truncate cuts a file for good. Pebble's file systems have no word for it, but only a directory can have lost anything.
func truncate(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

func (db *DB) markName() string { return db.disk.PathJoin(db.dir, unsyncedMark) }

// markLog says of an open store whether its log will be synced. Pebble has then written out whatever the log held, and has
// begun an empty one. It is too early before that: a start that failed on a log which was synced would leave the mark, and the
// next start would cut what it must not.
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

// markUnsynced makes the mark, for good.
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

// markSynced removes the mark, if there is one, for good.
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
