package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/rio-streams/rio/state"
)

// explain adds to an error how to fix it.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: the disk is full: free some space and start again; nothing is lost", err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: the state directory must be writable for this user", err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: raise the limit of open files (ulimit -n), or give the process fewer tasks", err)
	case errors.Is(err, state.ErrDamaged):
		return err
	case pebble.IsCorruptionError(err):
		return damaged(err)
	}
	return err
}

// damaged marks an error as damage, which deleting the directory fixes.
func damaged(err error) error {
	return fmt.Errorf("%w: %w: delete the directory, and the state is restored from its changelog", err, state.ErrDamaged)
}

// outside are system errors that say nothing about the files.
var outside = []error{
	syscall.ENOSPC, syscall.EDQUOT, syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO,
}

func isOutside(err error) bool {
	return slices.ContainsFunc(outside, func(target error) bool { return errors.Is(err, target) })
}

// explainOpen is like explain, for an error of opening a database. Errors other than those of the operating system mean
// damaged files: a missing file, an impossible name or length, a wrong checksum.
func explainOpen(err error) error {
	if isOutside(err) {
		return explain(err)
	}
	return damaged(err)
}

// explainLock says why a directory cannot be locked.
func explainLock(err error) error {
	if isOutside(err) && !errors.Is(err, syscall.EACCES) { // some systems return EACCES if another process has the lock
		return explain(err)
	}
	return fmt.Errorf("it is in use (%w): stop the other process, or give this one a state directory of its own", err)
}

// ErrBroken is in the error of a commit after which all commits fail, because the disk has failed or is full. Fix that
// and restart the process. The state continues from its last position.
var ErrBroken = errors.New("the database accepts no more writes until the process is restarted")

// fatal is an error after which pebble cannot continue. By default pebble ends the process; here the logger panics with
// it, and the call that caused it returns it. In pebble's own goroutines nothing can catch it, and the process ends.
type fatal struct{ error }

// catch turns the panic of a fatal error into an error. If the write-ahead log fails, pebble panics by itself, while
// holding locks: such an error is returned as stuck.
func catch(err *error) {
	switch p := recover().(type) {
	case nil:
	case fatal:
		*err = errors.Join(*err, p.error)
	case runtime.Error:
		panic(p)
	case error:
		*err = stuck{p}
	default:
		panic(p)
	}
}

// stuck is an error after which pebble cannot even be closed.
type stuck struct{ error }

func (s stuck) Unwrap() error { return s.error }

// logger receives pebble's messages.
type logger struct {
	dir string
	log *slog.Logger
}

func (l logger) write(level slog.Level, format string, args []any) {
	if l.log != nil && l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, fmt.Sprintf(format, args...), "state", l.dir)
	}
}

// Infof implements pebble.Logger.
func (l logger) Infof(format string, args ...any) { l.write(slog.LevelDebug, format, args) }

// Errorf implements pebble.Logger.
func (l logger) Errorf(format string, args ...any) { l.write(slog.LevelError, format, args) }

// Fatalf implements pebble.Logger. It does not return.
func (l logger) Fatalf(format string, args ...any) {
	l.write(slog.LevelError, format, args)
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			panic(fatal{err})
		}
	}
	panic(fatal{fmt.Errorf(format, args...)})
}
