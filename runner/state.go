package runner

import (
	"fmt"
	"time"
)

// State is the state of an application.
type State int32

const (
	Starting    State = iota // connecting, preparing topics, waiting for the group to assign tasks
	Restoring                // restoring the state of a task; the other tasks are processing
	Running                  // all tasks of this process are processing; there may be none
	Rebalancing              // committing tasks that move to other processes; the other tasks are processing
	Degraded                 // a task has failed and is not processing yet, or is stalled (see Config.StallTimeout)
	Stopping                 // committing the processed records and leaving the group
	Stopped                  // ended without an error
	Failed                   // ended with the error that Wait returns
)

var stateNames = [...]string{"starting", "restoring", "running", "rebalancing", "degraded", "stopping", "stopped", "failed"}

// String returns the name in lower case, such as "running".
func (s State) String() string {
	if s >= 0 && int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", int32(s))
}

// MarshalText returns the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// StateChange is a transition of an application from one state to another.
type StateChange struct {
	From, To State
	Reason   string // empty if To is explanation enough
	At       time.Time
}

// refresh derives the application's state. If it has changed, refresh logs it and notifies Config.OnStateChange. It must be
// called after every event that can change the state.
func (s *status) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, reason := s.find()
	if state == s.state {
		return
	}
	change := StateChange{From: s.state, To: state, Reason: reason, At: time.Now()}
	s.state = state
	s.changed(change)
}

// find returns the state and its reason. The caller holds mu.
func (s *status) find() (State, string) {
	if s.phase != Running {
		return s.phase, s.reason
	}
	state, reason := Running, ""
	if s.rebalancing {
		state = Rebalancing
	}
	for _, a := range s.owned {
		switch task := a.describe(); task.State {
		case Recovering, Stalled:
			return Degraded, task.about()
		case Opening:
			state, reason = Restoring, task.about()
		}
	}
	return state, reason
}

// enter publishes the phase of the process and the reason for it. In phase Running, the application's state follows from
// the states of its tasks.
func (s *status) enter(phase State, reason string) {
	s.mu.Lock()
	s.phase, s.reason = phase, reason
	s.mu.Unlock()
	s.refresh()
}

// setRebalancing publishes whether tasks are being released to other processes.
func (s *status) setRebalancing(on bool) {
	s.mu.Lock()
	s.rebalancing = on
	s.mu.Unlock()
	s.refresh()
}

// current returns the published state.
func (s *status) current() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// announce logs a change of state and queues a call of the listener.
func (a *App) announce(change StateChange) {
	a.runner.log.Info("state changed", "from", change.From, "to", change.To, "reason", change.Reason)
	if a.runner.cfg.OnStateChange != nil {
		a.listener.post(func() { a.runner.cfg.OnStateChange(change) })
	}
}

// listen makes the queued calls of the listener. It returns after the application has ended and all calls are made.
func (a *App) listen() {
	for {
		ended := false
		select {
		case <-a.listener.wake:
		case <-a.done:
			ended = true
		}
		for call := a.listener.take(); call != nil; call = a.listener.take() {
			call()
		}
		if ended {
			return
		}
	}
}
