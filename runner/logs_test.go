package runner_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/rio-streams/rio/runner"
)

// logs captures the log of a run.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) has(parts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(l.text.String(), part) })
}

// record sets the logger of cfg to l.
func (l *logs) record(cfg *runner.Config) { cfg.Logger = slog.New(slog.NewTextHandler(l, nil)) }

// count returns how often a text occurs in the log.
func (l *logs) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}
