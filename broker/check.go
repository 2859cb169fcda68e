package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/rio-streams/rio/broker/internal/store"
)

// CheckSummary counts what Check has read.
type CheckSummary = store.Summary

// Check reads a data directory that no broker uses, and reports what is damaged or does not fit together, a line each:
// checksums and order of the batches, positions, segments, producers, transactions, committed offsets. It changes nothing.
// An error says why it could not look.
func Check(dir string, report func(problem string)) (_ CheckSummary, err error) {
	logs := filepath.Join(dir, logDir)
	if _, err := os.Stat(logs); err != nil {
		return CheckSummary{}, fmt.Errorf("broker: %s is not the data directory of a broker: %w", dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return CheckSummary{}, err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	db, err := store.Open(store.Options{Dir: logs, ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return CheckSummary{}, err
	}
	summary, err := db.Check(report)
	return summary, errors.Join(err, db.Close())
}
