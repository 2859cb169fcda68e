package runner

import (
	"fmt"
	"time"
)

// State says what an application is doing.
type State int32

const (
	Starting    State = iota // it connects, prepares its topics, and waits for the group to assign tasks
	Restoring                // the state of a task is being restored; the other tasks are processing
	Running                  // all tasks of this process are processing; there may be none
	Rebalancing              // tasks that go to other processes are being committed; the other tasks are processing
	Degraded                 // a task does not process because of a failure, or makes no progress (see Config.StallTimeout)
	Stopping                 // it commits what is in hand and leaves the group
	Stopped                  // it has ended without an error
	Failed                   // it has ended with the error that Wait returns
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

// StateChange is an application's way from one state to another.
type StateChange struct {
	From, To State
	Reason   string // why; empty where To says it all
	At       time.Time
}

// refresh finds out in which state the application is, and if that is another than before, logs it and tells
// Config.OnStateChange. It is called after everything that can change the state.
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
	for _, u := range s.owned {
		switch task := u.describe(); task.State {
		case Recovering, Stalled:
			return Degraded, task.about()
		case Opening:
			state, reason = Restoring, task.about()
		}
	}
	return state, reason
}

// enter publishes what the application does from now on, and why. Running means that the tasks decide.
func (s *status) enter(phase State, reason string) {
	s.mu.Lock()
	s.phase, s.reason = phase, reason
	s.mu.Unlock()
	s.refresh()
}

// setRebalancing publishes whether tasks are being released for other processes.
func (s *status) setRebalancing(on bool) {
	s.mu.Lock()
	s.rebalancing = on
	s.mu.Unlock()
	s.refresh()
}

// current returns the state that was published last.
func (s *status) current() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// announce logs a change of state and tells the listener, which gets the changes in order in a goroutine of its own.
func (a *App) announce(change StateChange) {
	a.runner.log.Info("state changed", "from", change.From, "to", change.To, "reason", change.Reason)
	if a.runner.cfg.OnStateChange != nil {
		a.listener.post(func() { a.runner.cfg.OnStateChange(change) })
	}
}

// listen calls the listener until the application has ended and the listener knows it.
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
