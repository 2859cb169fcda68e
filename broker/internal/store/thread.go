package store

import (
	"runtime"

	"github.com/cockroachdb/pebble/v2"
)

// thread commits large batches, each in its turn, on one thread of the operating system.
//
// Pebble takes its memtables from C's allocator, which keeps what is freed for the thread that had asked for it. A commit that
// needs a new memtable asks for it; if each came from another thread, a dozen freed memtables would stay in memory. To change to
// this thread takes some microseconds, which only large commits do not notice; and those are the ones that fill memtables.
type thread struct {
	commits chan *pebble.Batch
	done    chan error
}

// heavy is the size in bytes from which a batch is large.
const heavy = 256 << 10

func newThread() *thread { return &thread{commits: make(chan *pebble.Batch), done: make(chan error)} }

// run commits until the thread is closed.
func (t *thread) run(apply func(*pebble.Batch) error) {
	runtime.LockOSThread() // it ends with the goroutine
	for b := range t.commits {
		t.done <- apply(b)
	}
}

func (t *thread) commit(b *pebble.Batch) error {
	t.commits <- b
	return <-t.done
}

func (t *thread) close() { close(t.commits) }
