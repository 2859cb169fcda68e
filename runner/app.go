package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/topology"
)

// App is a running application: the handle that Start returns. All of its methods may be called from any goroutine, and
// none of them waits for the application except Wait.
type App struct {
	runner *runner
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error // what Wait returns; set before done is closed
}

// State says what an application is doing.
type State int32

const (
	Starting  State = iota // it connects, prepares its topics, and waits for the group to assign tasks
	Restoring              // a task is not processing yet, or not any more: its state is being restored, or it recovers
	Running                // all tasks of this process are processing; there may be none
	Stopping               // it commits what is in hand and leaves the group
	Stopped                // it has ended without an error
	Failed                 // it has ended with the error that Wait returns
)

var stateNames = [...]string{"starting", "restoring", "running", "stopping", "stopped", "failed"}

// String returns "starting", "restoring", "running", "stopping", "stopped" or "failed".
func (s State) String() string {
	if s >= 0 && int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", int32(s))
}

// MarshalText returns the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Start starts a topology and returns a handle on it. It returns an error, with all mistakes at once, if the
// configuration is wrong; what goes wrong later, a missing topic among it, is what Wait returns. The application runs
// until ctx ends, Stop is called, or something fails that trying again does not mend.
func Start(ctx context.Context, t *topology.Topology, cfg Config) (*App, error) {
	if t == nil {
		return nil, errNoTopology
	}
	if err := showPlan(t); err != nil {
		return nil, err
	}
	r, err := newRunner(t, cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	a := &App{runner: r, cancel: cancel, done: make(chan struct{})}
	go a.run(ctx)
	return a, nil
}

// Run is Start and Wait.
func Run(ctx context.Context, t *topology.Topology, cfg Config) error {
	a, err := Start(ctx, t, cfg)
	if err != nil {
		return err
	}
	return a.Wait()
}

// errNoTopology says what a nil topology comes from.
var errNoTopology = errors.New("runner: there is no topology to run: Build returned an error that was not looked at")

func (a *App) run(ctx context.Context) {
	defer a.cancel(nil)
	err := a.runner.run(ctx)
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		err = nil // stopped while it was starting
	}
	a.runner.close()
	a.err = err
	end := Stopped
	if err != nil {
		end = Failed
	}
	a.runner.status.enter(end)
	close(a.done)
}

// errStopped is why an application stops after Stop.
var errStopped = errors.New("Stop was called")

// Stop asks the application to finish what it has in hand, commit, and leave the group. It does not wait; Wait does.
func (a *App) Stop() { a.cancel(errStopped) }

// Wait waits until the application has ended. It returns nil if it was stopped, or has reached its end (see
// Config.StopAtEnd), and otherwise what failed; see ErrFenced and the errors beside it.
func (a *App) Wait() error {
	<-a.done
	return a.err
}

// Done is closed when the application has ended.
func (a *App) Done() <-chan struct{} { return a.done }

// State says what the application is doing now.
func (a *App) State() State {
	state := a.runner.status.entered()
	if state != Running {
		return state
	}
	for _, u := range a.runner.status.units() {
		if u.status.load().State != Processing {
			return Restoring
		}
	}
	return Running
}

// Ready returns nil if all tasks of this process are processing, and otherwise an error that says what it waits for.
func (a *App) Ready() error {
	state := a.State()
	if state == Running {
		return nil
	}
	err := fmt.Errorf("runner: application %s is %s", a.runner.cfg.Application, state)
	if state != Restoring {
		return err
	}
	for _, u := range a.runner.status.units() {
		if task := u.status.load(); task.State != Processing {
			return fmt.Errorf("%w: task %s: %s", err, task.Name, task.waitsFor())
		}
	}
	return err
}
