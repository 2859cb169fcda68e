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

// Config says how an engine runs. All fields must be set.
type Config struct {
	Store            *store.DB
	Logger           *slog.Logger
	Now              func() time.Time
	Host             string // what clients are told to dial
	Port             int32
	Partitions       int32 // of topics that are created without saying how many
	AutoCreateTopics bool
	MinSession       time.Duration // the shortest session timeout of a group member
	MaxPartitions    int           // of all topics together
	MaxUnsent        int64         // bytes of records that were read for clients and not sent to them yet; a quarter more is read ahead
}

// Engine is the log and the coordinators of a broker.
type Engine struct {
	cfg   Config
	db    *store.DB
	log   *slog.Logger
	clock func() time.Time

	control chan func()  // work that is small
	writes  chan func()  // work that writes records; it waits while the disk is behind
	commits chan *commit // to the committer
	stop    chan struct{}
	idle    sync.WaitGroup

	newReader func() (*store.Reader, error)
	unsent    *semaphore.Weighted // bytes of records that are in memory for clients
	aheads    *semaphore.Weighted // bytes of records that clients have not asked for yet

	catalog atomic.Pointer[catalog] // the topics that are durable
	flying  atomic.Int64            // commits that were handed over and are not known yet
	census  atomic.Pointer[census]  // of groups and transactions
	full    atomic.Bool             // the disk has no room for records

	// What follows belongs to the goroutine of run.
	open         *commit // what is written next
	counters     store.Counters
	topics       map[string]*topic
	partitions   map[store.PartitionID]*partition
	transactions map[string]*transaction.Transaction
	producers    map[int64]*transaction.Transaction // by producer id
	groups       map[string]*groupState
	swept        time.Time
	cleaning     bool // a partition is being compacted
}

const (
	// maxOpen is how many bytes a commit gathers while the one before it is on its way to the disk.
	maxOpen = 4 << 20

	// tickInterval is how exact the timeouts of sessions, rebalances and transactions are.
	tickInterval = 20 * time.Millisecond

	// sweepInterval is how often what is old is looked for.
	sweepInterval = time.Second
)

// Start reads what the store has and goes on from there.
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
		return nil, fmt.Errorf("broker: read the state of the log: %w; see what `rio broker check` says of it", err)
	}
	e.open = e.newCommit()
	e.catalog.Store(e.currentCatalog())
	e.count()
	e.idle.Add(2)
	go e.run()
	go e.commitAll()
	return e, nil
}

// Close ends what waits, writes what is open and stops. Calls must have stopped coming in.
func (e *Engine) Close() {
	close(e.stop)
	e.idle.Wait()
}

// run is the goroutine that owns the state: it does one piece of work after the other.
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
			e.gather()
		case commits <- e.open:
			e.flying.Add(1)
			e.open = e.newCommit()
		case <-tick.C:
			e.tick(e.clock())
		case <-e.stop:
			e.end()
			return
		}
	}
}

// gather does the writes that wait already, so that they share a commit.
func (e *Engine) gather() {
	for e.open.size() <= maxOpen {
		select {
		case do := <-e.writes:
			do()
		default:
			return
		}
	}
}

// end answers whoever waits for others, and hands over what is open.
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

// do has the goroutine of the state do something.
func (e *Engine) do(work func()) { e.send(e.control, work) }

func (e *Engine) send(to chan func(), work func()) {
	select {
	case to <- work:
	case <-e.stop:
	}
}

// tick is what time brings about.
func (e *Engine) tick(now time.Time) {
	e.tickGroups(now)
	e.abortOverdue(now)
	if now.Sub(e.swept) >= sweepInterval {
		e.swept = now
		e.sweep(now)
	}
}
