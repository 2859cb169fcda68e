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

// Check reads a data directory that no broker is using and reports damage and inconsistencies, one line each: checksums
// and order of batches, positions, segments, producers, transactions, committed offsets. It changes nothing. An error
// says why the directory could not be read.
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
