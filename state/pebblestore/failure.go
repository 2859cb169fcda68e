package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// explain adds to an error what to do about it.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: the disk is full: make room and start again; nothing is lost", err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: the state directory must be writable for this user", err)
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: the files are damaged: delete the directory, and the state is restored from its changelog", err)
	}
	return err
}

// ErrBroken is in the error of a commit after which the database takes no more of them, because the disk has failed or is full. Start the
// process again once that is mended. The state goes on from its last position.
var ErrBroken = errors.New("the database takes no more writes until the process is started again")

// fatal is an error after which pebble cannot go on. Pebble would end the process; here the logger panics with it, and the call that
// ran into it returns it. In pebble's own goroutines nobody can catch it, and the process ends as pebble intends.
type fatal struct{ error }

// catch turns the panic of a fatal error into an error. Where the write-ahead log fails pebble panics by itself, with locks held: such
// an error comes as stuck.
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

// logger takes pebble's messages.
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
