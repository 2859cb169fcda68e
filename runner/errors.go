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

// Errors that end a run, for errors.Is on what Run and App.Wait return. Others are a handler's, a codec's, the disk's, or
// of package kafka.
var (
	// ErrFenced: another process has joined the group under this one's instance id, as after a copy of a state directory.
	ErrFenced = errors.New("another process has taken the place of this one in the group")

	// ErrRetryTimeout: what failed did not recover within Config.RetryTimeout. A later start goes on from the last commit.
	ErrRetryTimeout = errors.New("no recovery within Config.RetryTimeout")

	// ErrTopicsChanged: a topic that the topology reads was deleted, made again, or got another number of partitions.
	ErrTopicsChanged = errors.New("topics have changed")

	// ErrIncompatibleState: a store, local or in its changelog, was written in another format than that of this topology.
	ErrIncompatibleState = state.ErrFormat

	// ErrStateLost: the changelog of a store does not hold any more what the application has committed, or the offsets
	// that go with it are gone. If this machine has the state, it is the only copy, and it stays where it is. See Rebuild.
	ErrStateLost = errors.New("state was lost")
)

// clusterError is a failure of the cluster, or of our standing in it: abort, rewind to the last commit, go on. Every
// other error is the user's, or the disk's, and ends the run.
type clusterError struct{ err error }

func (e *clusterError) Error() string { return e.err.Error() }
func (e *clusterError) Unwrap() error { return e.err }

// cluster marks an error of package kafka.
func cluster(err error) error {
	if err == nil {
		return nil
	}
	return &clusterError{err}
}

// hopeless are errors of the cluster that trying again does not mend.
var hopeless = []error{
	kafka.ErrNotAuthorized, kafka.ErrAuthentication, kafka.ErrRecordTooLarge, kafka.ErrRefused, kafka.ErrUnsupported,
	kafka.ErrInvalidTopic, kafka.ErrFencedInstance, ErrRetryTimeout,
}

// final reports whether an error ends the run.
func final(err error) bool {
	var c *clusterError
	if !errors.As(err, &c) {
		return true
	}
	return slices.ContainsFunc(hopeless, func(target error) bool { return errors.Is(err, target) })
}

// ended marks why a membership has ended.
func ended(err error) error {
	if errors.Is(err, kafka.ErrFencedInstance) {
		return fmt.Errorf("%w: %w", ErrFenced, err)
	}
	return err
}

// pause waits before the next of several attempts, longer each time; it returns early with an error if ctx ends.
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

// backoff returns the pause after so many failed attempts: 50 ms, doubled up to 3.2 s.
func backoff(attempt int) time.Duration { return 50 * time.Millisecond << min(attempt, 6) }
