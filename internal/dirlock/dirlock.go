// Package dirlock keeps a second process out of a directory.
//
// The lock is a file that the operating system locks while it is open, so it is released when the process ends, in
// whatever way. The content of the file, the note, is for people and for the next holder. On platforms without flock
// nothing is locked.
package dirlock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Lock is a locked directory.
type Lock struct {
	file *os.File
	note string
}

// HeldError: another process, or another part of this one, has locked the directory.
type HeldError struct {
	Dir  string
	Note string // the note of the holder
}

// Error names the directory; callers that can interpret the note can say more.
func (e *HeldError) Error() string { return fmt.Sprintf("directory %s is in use", e.Dir) }

// errHeld is returned by lockFile if the file is locked already.
var errHeld = errors.New("held")

// Take locks dir, which must exist, by the file "lock" in it.
func Take(dir string) (*Lock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	note, err := io.ReadAll(file)
	if err == nil {
		err = lockFile(file)
	}
	if errors.Is(err, errHeld) {
		err = &HeldError{Dir: dir, Note: string(note)}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Lock{file: file, note: string(note)}, nil
}

// Note returns the note of the previous holder, empty for none.
func (l *Lock) Note() string { return l.note }

// Write overwrites the note. It reuses the file's block, so that it also works on a full disk.
func (l *Lock) Write(note string) error {
	if _, err := l.file.WriteAt([]byte(note), 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(note)))
}

// Release unlocks the directory. It does not remove the file: that would race with the next holder.
func (l *Lock) Release() error { return l.file.Close() }
