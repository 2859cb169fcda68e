package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/topology"
)

// App is a running application: the handle that Start returns. All of its methods may be called from any goroutine, and
// only Wait waits for the application.
type App struct {
	runner   *runner
	cancel   context.CancelCauseFunc
	listener *mailbox // calls of Config.OnStateChange
	done     chan struct{}
	err      error // what Wait returns; set before done is closed
}

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
	if err := maintain(ctx, t, cfg); err != nil {
		return nil, err
	}
	r, err := newRunner(t, cfg)
	if err != nil {
		return nil, err
	}
	for _, step := range t.Plan().DeadEnds() {
		r.log.Warn("results go nowhere: no step takes them; write them with To, keep them in a table, or remove the step",
			"step", step.Label(), "declared", step.Where)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	a := &App{runner: r, cancel: cancel, listener: newMailbox(), done: make(chan struct{})}
	r.status.changed = a.announce
	go a.listen()
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
	if err != nil {
		a.runner.status.enter(Failed, err.Error())
	} else {
		a.runner.status.enter(Stopped, "")
	}
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
func (a *App) State() State { return a.runner.status.current() }

// Ready returns nil if all tasks of this process are processing and none is further behind than Config.ReadyLag. Otherwise
// its error says what the application waits for.
func (a *App) Ready() error {
	state := a.State()
	err := fmt.Errorf("runner: application %s is %s", a.runner.cfg.Application, state)
	switch state {
	case Starting, Stopping, Stopped, Failed:
		return err
	}
	if a.Paused() {
		return fmt.Errorf("runner: application %s is paused", a.runner.cfg.Application)
	}
	for _, u := range a.runner.status.units() {
		task := u.describe()
		if task.State != Processing {
			return fmt.Errorf("%w: %s", err, task.about())
		}
		for _, in := range task.Inputs {
			if limit := a.runner.cfg.ReadyLag; limit >= 0 && in.Lag() > limit {
				return fmt.Errorf("runner: application %s is catching up: task %s is %d offsets behind in %s/%d, at most %d count as ready",
					a.runner.cfg.Application, task.Name, in.Lag(), in.Topic, in.Partition, limit)
			}
		}
	}
	return nil
}
