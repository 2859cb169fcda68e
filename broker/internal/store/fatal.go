package store

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
)

// guard runs do and returns its error. Pebble reports fatal errors by a panic or by Fatalf; guard turns both into an
// error if they happen in this goroutine.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = failure("%v", p)
		}
	}()
	return do()
}

// guardName is the name of guard in a stack trace.
var guardName = runtime.FuncForPC(reflect.ValueOf(guard).Pointer()).Name()

// isGuarded reports whether this goroutine runs in guard.
func isGuarded() bool {
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		frame, more := frames.Next()
		if frame.Function == guardName {
			return true
		}
		if !more {
			return false
		}
	}
}

// failure returns an error with a message of pebble's. It wraps the errors among the arguments, whatever verb formats
// them.
func failure(format string, args ...any) error {
	f := &fatal{text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			f.causes = append(f.causes, err)
		}
	}
	return f
}

// fatal is the panic value of a fatal error of pebble's.
type fatal struct {
	text   string
	causes []error
}

func (f *fatal) Error() string   { return f.text }
func (f *fatal) Unwrap() []error { return f.causes }

// logger receives pebble's messages.
type logger struct{ db *DB }

// Infof implements pebble.Logger.
func (l logger) Infof(format string, args ...any) {
	if l.db.log.Enabled(context.Background(), slog.LevelDebug) {
		l.db.log.Debug("broker: pebble: " + fmt.Sprintf(format, args...))
	}
}

// Errorf implements pebble.Logger.
func (l logger) Errorf(format string, args ...any) {
	l.db.log.Error("broker: pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger. Pebble expects that the process ends. Here the store only stops accepting writes: a
// goroutine of ours gets the error, one of pebble's blocks forever, with the locks it holds.
func (l logger) Fatalf(format string, args ...any) {
	err := l.db.fail(failure(format, args...))
	if isGuarded() {
		panic(err)
	}
	select {}
}
