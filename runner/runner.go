package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
	"github.com/rio-streams/rio/topology"
)

func (r *runner) run(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	r.status.brokers.Store(&r.cfg.Brokers)
	if err := r.prepare(ctx); err != nil {
		return err
	}
	return r.supervise(ctx)
}

func newRunner(t *topology.Topology, cfg Config) (*runner, error) {
	if t == nil {
		return nil, errNoTopology
	}
	cfg, err := cfg.withDefaults(t.Name())
	if err != nil {
		return nil, err
	}
	if err := t.Plan().CheckPolicies(cfg.Policies); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	if !cfg.AtLeastOnce {
		if err := t.Plan().CheckCalls(cfg.Policies, cfg.TransactionTimeout/2); err != nil {
			return nil, fmt.Errorf("runner: %w", err)
		}
	}
	log := cfg.Logger.With("application", cfg.Application)
	return &runner{
		cfg: cfg, plan: t.Plan(), log: log, reports: newReports(log),
		memory: divide(cfg.Memory, cfg.Workers), planHash: hash(t.String()), meters: newMeters(t.Plan(), cfg),
	}, nil
}

// runner is one process of an application. The supervisor owns the assignment of tasks. An opener owns a task until it is
// restored; then a worker owns it until it is closed. These goroutines share only fields that are set before they start;
// otherwise they communicate by mailboxes and channels.
type runner struct {
	cfg               Config
	plan              *plan.Plan
	log               *slog.Logger
	broker            *broker.Broker // embedded, or nil
	client            *kafka.Client
	place             *place
	counts            map[string]int32  // number of partitions of each topic, by its name in the plan
	ids               map[string]string // topic ids of inputs and changelogs, by topic name in the cluster
	initialPartitions map[string]int32  // number of partitions of each input topic when the application began to read it

	memory    memory
	positions positions
	planHash  uint64
	budget    *state.Budget
	resources *pebblestore.Resources
	globals   *globals // nil without global tables

	chosen  chosenTopics
	status  status
	pausing pausing
	reports *reports
	hanging hanging
	meters  *meters
}

// connect connects to the cluster. It starts the embedded broker if no brokers are configured.
func (r *runner) connect(ctx context.Context) (err error) {
	if len(r.cfg.Brokers) == 0 {
		r.broker, err = broker.Start(broker.Config{
			DataDir: filepath.Join(r.cfg.Dir, "log"), Listen: r.cfg.Listen, KeepPort: true, Logger: r.cfg.Logger,
		})
		if err != nil {
			return err
		}
		r.meters.broker.Store(r.broker)
		r.cfg.Brokers = []string{r.broker.Addr()}
		r.log.Info("broker started", "address", r.broker.Addr(), "dir", r.cfg.Dir)
	}
	client := r.cfg.Client
	client.Brokers = r.cfg.Brokers
	r.client, err = kafka.Dial(ctx, client)
	return err
}

// prepare creates topics and takes a place for local state.
func (r *runner) prepare(ctx context.Context) (err error) {
	if err := r.prepareTopics(ctx); err != nil {
		return fmt.Errorf("runner: application %s: %w", r.cfg.Application, err)
	}
	if err := r.checkCommitted(ctx); err != nil {
		return fmt.Errorf("runner: application %s: %w", r.cfg.Application, err)
	}
	if err := r.migrateState(ctx); err != nil {
		return err
	}
	if r.place, err = takePlace(r.stateDir()); err != nil {
		return err
	}
	r.positions.load(r.place.positionsFile())
	r.budget = state.NewBudget(r.memory.rows)
	r.resources = pebblestore.NewResources(pebblestore.Limits{
		Cache: r.memory.blocks, Memtables: r.memory.memtables, Databases: r.databases(),
	})
	r.meters.shared.Store(&shared{r.budget, r.resources})
	return nil
}

// databases returns how many databases the process has if all tasks are assigned to it. The memory for memtables is divided
// by this number: larger memtables make pebble rewrite rows less often.
func (r *runner) databases() int {
	n := min(len(r.plan.Globals), 1) // all global tables share one
	for _, s := range r.plan.Subtopologies {
		if len(s.Stores) > 0 {
			n += int(s.Tasks(r.counts))
		}
	}
	return n
}

// stateDir returns the directory of the application's state for this cluster. Each cluster has its own, so a program can
// switch between clusters, such as the embedded broker and a real one.
func (r *runner) stateDir() string {
	return filepath.Join(r.cfg.Dir, "state", r.cfg.Application, clusterDir(r.client.ClusterID()))
}

func (r *runner) close() {
	var errs []error
	if r.hanging.left.Load() == 0 { // otherwise an abandoned call may still read them
		r.globals.close()
	}
	if r.resources != nil {
		r.resources.Close()
	}
	if r.place != nil {
		errs = append(errs, r.releasePlace())
	}
	if r.client != nil {
		errs = append(errs, r.client.Close())
	}
	if r.broker != nil {
		errs = append(errs, r.broker.Close())
	}
	if err := errors.Join(errs...); err != nil {
		r.log.Warn("failed to close the application", "error", err)
	}
}

// releasePlace unlocks the place when no hung handler uses a part of it any more.
func (r *runner) releasePlace() error {
	if r.hanging.left.Load() == 0 {
		return r.place.lock.Release()
	}
	go func() {
		r.hanging.all.Wait()
		if err := r.place.lock.Release(); err != nil {
			r.log.Warn("failed to unlock the state directory", "error", err)
		}
	}()
	return nil
}

// hanging tracks abandoned calls that have not returned.
type hanging struct {
	all   sync.WaitGroup
	left  atomic.Int32
	calls sync.Map // of *stuckCall
}

func (h *hanging) add(call *stuckCall) {
	h.left.Add(1)
	h.all.Add(1)
	h.calls.Store(call, nil)
}

func (h *hanging) done(call *stuckCall) {
	h.calls.Delete(call)
	h.left.Add(-1)
	h.all.Done()
}

// names returns the rules for the names of the application's topics in the cluster.
func (r *runner) names() plan.Names {
	return plan.Names{Application: r.cfg.Application, Prefix: r.cfg.OutputPrefix, Inputs: r.cfg.InputNames}
}

// leaveTimeout bounds the last steps of a shutdown: the end of purges, and the request to leave the group.
const leaveTimeout = 10 * time.Second
