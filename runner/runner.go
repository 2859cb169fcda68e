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
	log := cfg.Logger.With("application", cfg.Application)
	return &runner{
		cfg: cfg, plan: t.Plan(), log: log, reports: newReports(log),
		memory: divide(cfg.Memory, cfg.Workers), planHash: hash(t.String()), meters: newMeters(t.Plan(), cfg),
	}, nil
}

// runner is one process of an application. Its goroutines share only what is set before they start; for the rest they
// send each other work: the supervisor owns the assignment of tasks, an opener owns a task until it is restored, and
// then a worker owns it until it is closed.
type runner struct {
	cfg    Config
	plan   *plan.Plan
	log    *slog.Logger
	broker *broker.Broker // embedded, or nil
	client *kafka.Client
	place  *place
	counts map[string]int32  // partitions of each topic, by the plan's name
	ids    map[string]string // of the topics that are read, by their names in the log
	began  map[string]int32  // partitions that these had when the application began to read them

	memory    memory
	held      positions
	planHash  uint64
	budget    *state.Budget
	resources *pebblestore.Resources

	status  status
	pausing pausing
	reports *reports
	hanging hanging
	meters  *meters
}

// connect reaches the log, starting the embedded broker if there is no other.
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

// prepare makes what tasks need besides the log: its topics, and a place for state.
func (r *runner) prepare(ctx context.Context) (err error) {
	if err := r.prepareTopics(ctx); err != nil {
		return fmt.Errorf("runner: application %s: %w", r.cfg.Application, err)
	}
	if err := r.survey(ctx); err != nil {
		return fmt.Errorf("runner: application %s: %w", r.cfg.Application, err)
	}
	if err := r.migrateState(ctx); err != nil {
		return err
	}
	if r.place, err = takePlace(r.stateDir()); err != nil {
		return err
	}
	r.held.load(r.place.positionsFile())
	r.budget = state.NewBudget(r.memory.rows)
	r.resources = pebblestore.NewResources(pebblestore.Limits{
		Cache: r.memory.blocks, Memtables: r.memory.memtables, Databases: r.databases(),
	})
	r.meters.shared.Store(&shared{r.budget, r.resources})
	return nil
}

// databases returns how many databases the process has if it is alone and has all tasks. The larger the memtables, the less often
// pebble writes the same rows again, so they are made for these and no more.
func (r *runner) databases() int {
	n := 0
	for _, s := range r.plan.Subtopologies {
		if len(s.Stores) > 0 {
			n += int(s.Tasks(r.counts))
		}
	}
	return n
}

// stateDir is where the application keeps its state of this cluster: programs that run on several clusters in turn, such
// as the embedded broker and a real one, find each as they left it.
func (r *runner) stateDir() string {
	return filepath.Join(r.cfg.Dir, "state", r.cfg.Application, clusterDir(r.client.ClusterID()))
}

func (r *runner) close() {
	var errs []error
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
		r.log.Warn("close", "error", err)
	}
}

// releasePlace gives the state directory to the next process, once no handler that hangs keeps a part of it.
func (r *runner) releasePlace() error {
	if r.hanging.left.Load() == 0 {
		return r.place.lock.Release()
	}
	go func() {
		r.hanging.all.Wait()
		if err := r.place.lock.Release(); err != nil {
			r.log.Warn("close", "error", err)
		}
	}()
	return nil
}

// hanging counts the calls that have not returned.
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

// names returns how the topics of the application are called in the log.
func (r *runner) names() plan.Names {
	return plan.Names{Application: r.cfg.Application, Prefix: r.cfg.OutputPrefix}
}

// leaveTimeout is how long the end of a run may take once ctx has ended.
const leaveTimeout = 10 * time.Second
