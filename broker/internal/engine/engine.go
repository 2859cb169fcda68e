package engine

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rio-streams/rio/broker/internal/store"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

// Config configures an engine. All fields must be set.
type Config struct {
	Store            *store.DB
	Logger           *slog.Logger
	Now              func() time.Time
	Host             string // the host that clients connect to
	Port             int32
	Partitions       int32 // of topics created without a number
	AutoCreateTopics bool
	MinSession       time.Duration // the shortest allowed session timeout
	MaxPartitions    int           // in all topics together
	MaxUnsent        int64         // bytes of fetched records not sent yet; a quarter more is used for read-ahead
}

// Engine is the log and the coordinators of a broker.
type Engine struct {
	cfg   Config
	db    *store.DB
	log   *slog.Logger
	clock func() time.Time

	control chan func()  // short work
	writes  chan func()  // work that writes records; it waits while the disk falls behind
	commits chan *commit // to the goroutine that makes them durable
	stop    chan struct{}
	idle    sync.WaitGroup

	newReader func() (*store.Reader, error)
	unsent    *semaphore.Weighted // bytes of fetched records in memory
	aheads    *semaphore.Weighted // bytes of records read ahead

	catalog  atomic.Pointer[catalog] // the durable topics
	inFlight atomic.Int64            // commits that are not durable yet
	census   atomic.Pointer[census]  // counts of groups and transactions
	full     atomic.Bool             // whether the disk has no space for records

	// The following fields belong to the goroutine of run.
	open         *commit // the commit being filled
	counters     store.Counters
	topics       map[string]*topic
	partitions   map[store.PartitionID]*partition
	transactions map[string]*transaction.Transaction
	producers    map[int64]*transaction.Transaction // by producer id
	groups       map[string]*groupState
	swept        time.Time
	cleaning     bool // whether a compaction is running
}

const (
	// maxOpen is how many bytes a commit collects while the previous one is being written.
	maxOpen = 4 << 20

	// tickInterval is the resolution of the timeouts of sessions, rebalances and transactions.
	tickInterval = 20 * time.Millisecond

	// sweepInterval is how often old data is looked for.
	sweepInterval = time.Second
)

// Start loads the state from the store and starts the engine.
func Start(cfg Config) (*Engine, error) {
	e := &Engine{
		cfg: cfg, db: cfg.Store, log: cfg.Logger, clock: cfg.Now,
		control: make(chan func(), 64), writes: make(chan func(), 256), commits: make(chan *commit), stop: make(chan struct{}),
		topics: make(map[string]*topic), partitions: make(map[store.PartitionID]*partition),
		transactions: make(map[string]*transaction.Transaction), producers: make(map[int64]*transaction.Transaction),
		groups: make(map[string]*groupState),

		newReader: cfg.Store.NewReader, unsent: semaphore.NewWeighted(cfg.MaxUnsent), aheads: semaphore.NewWeighted(cfg.MaxUnsent / 4),
	}
	if err := e.load(); err != nil {
		return nil, fmt.Errorf("broker: read the state of the log: %w; `rio broker check` finds the damage", err)
	}
	e.open = e.newCommit()
	e.catalog.Store(e.currentCatalog())
	e.count()
	e.idle.Add(2)
	go e.run()
	go e.commitAll()
	return e, nil
}

// Close answers waiting requests, writes the open commit and stops the engine. No more calls may arrive.
func (e *Engine) Close() {
	close(e.stop)
	e.idle.Wait()
}

// run is the goroutine that owns the state: it executes one piece of work after the other.
func (e *Engine) run() {
	defer e.idle.Done()
	defer close(e.commits)
	tick := time.NewTicker(tickInterval)
	defer tick.Stop()
	for {
		writes, commits := e.writes, e.commits
		if e.open.size() > maxOpen {
			writes = nil
		}
		if e.open.isEmpty() {
			commits = nil
		}
		select {
		case do := <-e.control:
			do()
		case do := <-writes:
			do()
			e.drainWrites()
		case commits <- e.open:
			e.inFlight.Add(1)
			e.open = e.newCommit()
		case <-tick.C:
			e.tick(e.clock())
		case <-e.stop:
			e.end()
			return
		}
	}
}

// drainWrites executes the queued writes, so that they share a commit.
func (e *Engine) drainWrites() {
	for e.open.size() <= maxOpen {
		select {
		case do := <-e.writes:
			do()
		default:
			return
		}
	}
}

// end answers all waiting requests and passes on the open commit.
func (e *Engine) end() {
	for _, g := range e.groups {
		g.machine.Shutdown(errNotAvailable)
	}
	for {
		select {
		case do := <-e.control:
			do()
			continue
		case do := <-e.writes:
			do()
			continue
		default:
		}
		break
	}
	if !e.open.isEmpty() {
		e.commits <- e.open
	}
}

// do runs work in the goroutine that owns the state.
func (e *Engine) do(work func()) { e.send(e.control, work) }

func (e *Engine) send(to chan func(), work func()) {
	select {
	case to <- work:
	case <-e.stop:
	}
}

// tick does the work that is due at a time.
func (e *Engine) tick(now time.Time) {
	e.tickGroups(now)
	e.abortOverdue(now)
	if now.Sub(e.swept) >= sweepInterval {
		e.swept = now
		e.sweep(now)
	}
}
