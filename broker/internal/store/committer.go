package store

import (
	"runtime"

	"github.com/cockroachdb/pebble/v2"
)

// committer commits large batches, one after the other, on one thread of the operating system.
//
// Pebble allocates its memtables with C's allocator, which caches freed memory per thread. A commit that needs a new
// memtable allocates it; if each came from another thread, a dozen freed memtables would stay in memory. Switching to
// this thread takes some microseconds, which is negligible for large commits; and those are the ones that fill
// memtables.
type committer struct {
	commits chan *pebble.Batch
	done    chan error
}

// largeBatchBytes is the size from which a batch is large.
const largeBatchBytes = 256 << 10

func newCommitter() *committer {
	return &committer{commits: make(chan *pebble.Batch), done: make(chan error)}
}

// run commits batches until the committer is closed.
func (t *committer) run(apply func(*pebble.Batch) error) {
	runtime.LockOSThread() // the thread ends with the goroutine
	for b := range t.commits {
		t.done <- apply(b)
	}
}

func (t *committer) commit(b *pebble.Batch) error {
	t.commits <- b
	return <-t.done
}

func (t *committer) close() { close(t.commits) }
