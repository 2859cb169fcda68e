package runner

import (
	"sync"
	"sync/atomic"
)

// Pause pauses the tasks of this process after the current record: they process no records and fire no timers until Resume.
// Processed records are committed, and the process keeps its tasks and stays in the group. Other processes of the
// application are not paused.
func (a *App) Pause() { a.runner.pausing.pause() }

// Resume ends a pause.
func (a *App) Resume() { a.runner.pausing.resume() }

// Paused reports whether the application is paused.
func (a *App) Paused() bool { return a.runner.pausing.on.Load() }

// pausing is the flag that pauses the workers.
type pausing struct {
	on atomic.Bool

	mu      sync.Mutex
	resumed chan struct{} // closed by resume; nil if not paused
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

// end returns a channel that is closed when the current pause ends. It returns nil if the workers are not paused.
func (p *pausing) end() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resumed
}
