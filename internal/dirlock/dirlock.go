// Package dirlock keeps a second process out of a directory.
//
// The lock is a file that the operating system locks for as long as it is open, so it is forgotten when the process
// dies, however it dies. The file's text, the note, is for people and for the next holder. On platforms without flock
// nothing is locked.
package dirlock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Lock is a directory that is held.
type Lock struct {
	file *os.File
	note string
}

// HeldError says that someone else holds the directory.
type HeldError struct {
	Dir  string
	Note string // what the holder wrote
}

// Error names the directory; callers that know what the note means can say more.
func (e *HeldError) Error() string { return fmt.Sprintf("directory %s is in use", e.Dir) }

// errHeld is what hold answers when another opening of the file is locked.
var errHeld = errors.New("held")

// Take locks dir, which must exist, by the file "lock" in it.
func Take(dir string) (*Lock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	note, err := io.ReadAll(file)
	if err == nil {
		err = hold(file)
	}
	if errors.Is(err, errHeld) {
		err = &HeldError{Dir: dir, Note: string(note)}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Lock{file: file, note: string(note)}, nil
}

// Note returns what the last holder wrote, empty for none.
func (l *Lock) Note() string { return l.note }

// Write overwrites the note. It keeps the block that the last note had, so a full disk has room for the next one.
func (l *Lock) Write(note string) error {
	if _, err := l.file.WriteAt([]byte(note), 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(note)))
}

// Release gives the directory up. The file stays: removing it would race with the next holder.
func (l *Lock) Release() error { return l.file.Close() }
