package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
)

// Errors that end a run, for use with errors.Is on the error of Run or App.Wait. Other errors come from handlers, codecs,
// the disk or package kafka.
var (
	// ErrFenced: another process has joined the group with this process's instance id. The usual cause is a copied state
	// directory.
	ErrFenced = errors.New("fenced: another process has joined the group with this process's instance id")

	// ErrRetryTimeout: a failure has lasted longer than Config.RetryTimeout. A later start continues at the last commit.
	ErrRetryTimeout = errors.New("no recovery within Config.RetryTimeout")

	// ErrTopicsChanged: a topic that the topology reads was deleted or recreated, or its number of partitions has changed.
	ErrTopicsChanged = errors.New("topics have changed")

	// ErrIncompatibleState: a store's local state or changelog has another format than the topology's.
	ErrIncompatibleState = state.ErrFormat

	// ErrStateLost: the changelog of a store lacks committed changes, or the committed offsets are missing. If this machine
	// has the state, that is the only copy, and it is kept. See Rebuild.
	ErrStateLost = errors.New("state was lost")
)

// recoverableError is a failure of the cluster or of this process's membership: the runner aborts the transaction and
// continues at the last commit. All other errors, from user code or the disk, end the run.
type recoverableError struct{ err error }

func (e *recoverableError) Error() string { return e.err.Error() }
func (e *recoverableError) Unwrap() error { return e.err }

// recoverable wraps an error of package kafka in a recoverableError.
func recoverable(err error) error {
	if err == nil {
		return nil
	}
	return &recoverableError{err}
}

// permanent lists the errors of package kafka that a retry cannot fix.
var permanent = []error{
	kafka.ErrNotAuthorized, kafka.ErrAuthentication, kafka.ErrRecordTooLarge, kafka.ErrRefused, kafka.ErrUnsupported,
	kafka.ErrInvalidTopic, kafka.ErrFencedInstance, ErrRetryTimeout,
}

// fatal reports whether an error ends the run.
func fatal(err error) bool {
	var c *recoverableError
	if !errors.As(err, &c) {
		return true
	}
	return slices.ContainsFunc(permanent, func(target error) bool { return errors.Is(err, target) })
}

// membershipError returns the error of an ended membership, wrapped in ErrFenced if that is the cause.
func membershipError(err error) error {
	if errors.Is(err, kafka.ErrFencedInstance) {
		return fmt.Errorf("%w: %w", ErrFenced, err)
	}
	return err
}

// pause waits for backoff(attempt). It returns early with an error if ctx ends.
func pause(ctx context.Context, attempt int) error { return pauseFor(ctx, backoff(attempt)) }

func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// backoff returns the pause after a failed attempt: 50 ms after attempt 0, doubling up to 3.2 s.
func backoff(attempt int) time.Duration { return 50 * time.Millisecond << min(attempt, 6) }
