package runner

import (
	"sync"
	"sync/atomic"
)

// mailbox is an unbounded queue of jobs for one goroutine. Posting never blocks, so no goroutine of the runner can block
// another.
type mailbox struct {
	mu      sync.Mutex
	jobs    []func()
	waiting atomic.Int32  // len(jobs), readable without the lock
	wake    chan struct{} // holds a token when a job may be waiting
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// post adds a job.
func (m *mailbox) post(job func()) {
	m.mu.Lock()
	m.jobs = append(m.jobs, job)
	m.waiting.Store(int32(len(m.jobs)))
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take removes and returns the first job. It returns nil if there is none.
func (m *mailbox) take() func() {
	if m.waiting.Load() == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	job := m.jobs[0]
	m.jobs[0] = nil
	m.jobs = m.jobs[1:]
	m.waiting.Store(int32(len(m.jobs)))
	return job
}
