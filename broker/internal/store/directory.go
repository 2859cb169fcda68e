package store

import (
	"errors"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// MakeDir creates a directory and its parents, and syncs them, so that they survive a power failure.
func MakeDir(dir string) error { return makeDir(vfs.Default, dir) }

func makeDir(disk vfs.FS, dir string) error {
	var made []string // innermost first
	for at := dir; isMissing(disk, at); at = disk.PathDir(at) {
		made = append(made, at)
	}
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range made {
		if err := syncDir(disk, disk.PathDir(d)); err != nil {
			return err
		}
	}
	return nil
}

func isMissing(disk vfs.FS, name string) bool {
	_, err := disk.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// syncDir makes the entries of a directory durable.
func syncDir(disk vfs.FS, name string) error {
	dir, err := disk.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
