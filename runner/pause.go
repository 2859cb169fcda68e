package runner

import (
	"sync"
	"sync/atomic"
)

// Pause makes the tasks of this process stop after the record in hand: they take no records and fire no timers until
// Resume. What is done is committed, and the process stays in the group and keeps its tasks. Other processes of the
// application are not paused.
func (a *App) Pause() { a.runner.pausing.pause() }

// Resume ends a pause.
func (a *App) Resume() { a.runner.pausing.resume() }

// Paused reports whether Pause was called last.
func (a *App) Paused() bool { return a.runner.pausing.on.Load() }

// pausing says whether the workers take records.
type pausing struct {
	on atomic.Bool

	mu      sync.Mutex
	resumed chan struct{} // closed by resume; nil without a pause
}

func (p *pausing) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.resumed == nil {
		p.resumed = make(chan struct{})
		p.on.Store(true)
	}
}

func (p *pausing) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.resumed != nil {
		p.on.Store(false)
		close(p.resumed)
		p.resumed = nil
	}
}

// end returns a channel that is closed when the pause under way ends, nil without a pause.
func (p *pausing) end() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resumed
}
