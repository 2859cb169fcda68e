package runner

import (
	"sync"
	"sync/atomic"
)

// mailbox holds what other goroutines want a goroutine to do, in order. Posting never waits, so that no goroutine of the
// runner can hold up another.
type mailbox struct {
	mu      sync.Mutex
	jobs    []func()
	waiting atomic.Int32  // len(jobs), to be asked without the lock
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

// take removes and returns the first job, nil if there is none.
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
