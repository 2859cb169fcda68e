package store

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// fullAfter is a disk with space for a limited number of writes.
func fullAfter(writes int64) vfs.FS {
	var done atomic.Int64
	return errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpCreate:
			if done.Add(1) > writes {
				return syscall.ENOSPC
			}
		}
		return nil
	}))
}

// nextFailure returns the number of writes before the next simulated failure. With -short, most numbers are skipped.
func nextFailure(writes int64) int64 {
	if testing.Short() {
		return writes + 7
	}
	return writes + 1
}

// openTimeout bounds how long opening a small store may take.
const openTimeout = 30 * time.Second

// openWithin calls Open and checks that it returns in time.
func openWithin(t *testing.T, opts Options) (*DB, error) {
	t.Helper()
	type opened struct {
		db  *DB
		err error
	}
	result := make(chan opened, 1)
	go func() {
		db, err := Open(opts)
		result <- opened{db, err}
	}()
	timeout := time.NewTimer(openTimeout)
	defer timeout.Stop()
	select {
	case r := <-result:
		return r.db, r.err
	case <-timeout.C:
		t.Fatalf("Open on a full disk has not returned after %v", openTimeout)
		return nil, nil
	}
}

// If the disk becomes full at any write of Open, Open returns an error that says so, and the next Open finds all
// commits.
func TestOpenOnADiskThatBecomesFull(t *testing.T) {
	t.Parallel()
	c := crash(t)
	for writes := int64(0); ; writes = nextFailure(writes) {
		dir := c.copy(c.dir)
		db, err := openWithin(t, Options{Dir: dir, Logger: slog.New(slog.DiscardHandler), fs: fullAfter(writes)})
		if err == nil {
			db.Release()
			_ = db.Close()
			if writes == 0 {
				t.Error("Open wrote nothing")
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") || !strings.Contains(err.Error(), dir) {
			t.Errorf("after %d writes: %v", writes, err)
		}
		again := c.open(c.copy(dir), OS)
		if got := c.found(again); got != c.commits {
			t.Errorf("after %d writes and another start: %d commits, want %d", writes, got, c.commits)
		}
		c.close(again)
	}
}

// The same in a new directory.
func TestCreateOnADiskThatBecomesFull(t *testing.T) {
	t.Parallel()
	c := &crashed{t: t}
	for writes := int64(0); ; writes = nextFailure(writes) {
		dir := t.TempDir()
		db, err := openWithin(t, Options{Dir: dir, Logger: slog.New(slog.DiscardHandler), fs: fullAfter(writes)})
		if err == nil {
			db.Release()
			_ = db.Close()
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("after %d writes: %v", writes, err)
		}
		c.close(c.open(c.copy(dir), OS))
	}
}

func TestEveryStoreIsAClusterOfItsOwn(t *testing.T) {
	c := &crashed{t: t}
	dir := t.TempDir()
	db := c.open(dir, Fsync)
	first := db.ClusterID()
	c.close(db)
	if len(first) != 22 {
		t.Errorf("cluster id %q, want 22 characters", first)
	}
	db = c.open(dir, Fsync)
	if again := db.ClusterID(); again != first {
		t.Errorf("after a restart the cluster id is %q, want %q", again, first)
	}
	c.close(db)
	for _, other := range []string{t.TempDir(), ""} {
		db = c.open(other, Fsync)
		if db.ClusterID() == first {
			t.Errorf("the store in %q has the same cluster id as another one", other)
		}
		c.close(db)
	}
}
