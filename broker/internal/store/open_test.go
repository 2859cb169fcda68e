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

// fullAfter is a disk that has room for so many writes.
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

// nextFailure returns after how many writes the disk is full next: with -short, the tests skip most of the moments.
func nextFailure(writes int64) int64 {
	if testing.Short() {
		return writes + 7
	}
	return writes + 1
}

// openTimeout is how long an open of a small store may take.
const openTimeout = 30 * time.Second

// openWithin is Open, which must come back.
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
		t.Fatalf("an open on a full disk has not come back after %v", openTimeout)
		return nil, nil
	}
}

// The disk becomes full at any write of an open: the open fails and says so, and the next one finds everything.
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
				t.Error("an open wrote nothing")
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

// The same in a directory that is new.
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
		t.Errorf("the cluster id is %q, which has not 22 characters", first)
	}
	db = c.open(dir, Fsync)
	if again := db.ClusterID(); again != first {
		t.Errorf("after a restart the cluster id is %q, want %q", again, first)
	}
	c.close(db)
	for _, other := range []string{t.TempDir(), ""} {
		db = c.open(other, Fsync)
		if db.ClusterID() == first {
			t.Errorf("the store in %q has the cluster id of another one", other)
		}
		c.close(db)
	}
}
