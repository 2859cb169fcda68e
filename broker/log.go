package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// logger hands kfake's lines to slog. kfake says of a failed write at the end only in its log, so errors can be collected.
type logger struct {
	out *slog.Logger

	mu         sync.Mutex
	collecting bool
	errors     []error
}

func newLogger(out *slog.Logger) *logger {
	if out == nil {
		out = slog.New(slog.DiscardHandler)
	}
	return &logger{out: out}
}

var slogLevel = map[kfake.LogLevel]slog.Level{
	kfake.LogLevelError: slog.LevelError,
	kfake.LogLevelWarn:  slog.LevelWarn,
	kfake.LogLevelInfo:  slog.LevelDebug, // each refused request is a line: of interest to who looks for it
	kfake.LogLevelDebug: slog.LevelDebug - 4,
}

// Logf is called from kfake's goroutines.
func (l *logger) Logf(level kfake.LogLevel, format string, args ...any) {
	if level == kfake.LogLevelError {
		l.collectError(fmt.Errorf("broker: "+format, args...))
	}
	if at := slogLevel[level]; l.out.Enabled(context.Background(), at) {
		l.out.Log(context.Background(), at, "broker: "+fmt.Sprintf(format, args...))
	}
}

func (l *logger) collectError(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.collecting {
		l.errors = append(l.errors, err)
	}
}

// collect starts to keep errors; the function it returns says which there were.
func (l *logger) collect() func() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.collecting = true
	return func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		return errors.Join(l.errors...)
	}
}
