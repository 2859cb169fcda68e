package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/topology"
)

// App is a handle on a running application; Start returns it. Its methods may be called from any goroutine. Only Wait
// blocks.
type App struct {
	runner   *runner
	cancel   context.CancelCauseFunc
	listener *mailbox // pending calls of Config.OnStateChange
	done     chan struct{}
	err      error // what Wait returns; set before done is closed
}

// Start starts a topology and returns a handle on it. If the configuration is invalid, Start returns an error that lists
// every mistake. Wait returns later errors, such as a missing topic. The application runs until ctx ends, Stop is called,
// or an error occurs that cannot be retried.
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
		r.log.Warn("results are not used by any step: write them with To, keep them in a table, or remove the step",
			"step", step.Label(), "declared", step.Where)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	a := &App{runner: r, cancel: cancel, listener: newMailbox(), done: make(chan struct{})}
	r.status.changed = a.announce
	go a.listen()
	go a.run(ctx)
	return a, nil
}

// Run calls Start, then Wait.
func Run(ctx context.Context, t *topology.Topology, cfg Config) error {
	a, err := Start(ctx, t, cfg)
	if err != nil {
		return err
	}
	return a.Wait()
}

// errNoTopology reports a nil topology. The usual cause is an ignored error of Build.
var errNoTopology = errors.New("runner: no topology to run: Build returned an error that was ignored")

func (a *App) run(ctx context.Context) {
	defer a.cancel(nil)
	err := a.runner.run(ctx)
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		err = nil // stopped during startup
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

// errStopped is the cancellation cause after Stop.
var errStopped = errors.New("Stop was called")

// Stop asks the application to finish the current records, commit, and leave the group. It does not wait; Wait does.
func (a *App) Stop() { a.cancel(errStopped) }

// Wait waits until the application has ended. It returns nil after a stop, or at the end of the input if
// Config.StopAtEnd is set. Otherwise it returns the error that ended the run: see ErrFenced and the errors beside it.
func (a *App) Wait() error {
	<-a.done
	return a.err
}

// Done is closed when the application has ended.
func (a *App) Done() <-chan struct{} { return a.done }

// State returns the current state of the application.
func (a *App) State() State { return a.runner.status.current() }

// Ready returns nil if all tasks of this process are processing and none lags by more than Config.ReadyLag. Otherwise its
// error says what the application is waiting for.
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
	for _, assigned := range a.runner.status.assignments() {
		task := assigned.describe()
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
