package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// FetcherConfig says how a Fetcher reads. The zero value reads committed records.
type FetcherConfig struct {
	// ReadUncommitted also returns records of open and aborted transactions. Default: false.
	ReadUncommitted bool

	// MaxWait is how long a broker waits for data before it answers that there is none. A partition that is added
	// meanwhile does not wait for it. Default: 250 ms.
	MaxWait time.Duration

	// MinBytes is how much data makes a broker answer before MaxWait. Default: 1.
	MinBytes int

	// MaxBytes is how much data an answer holds, unless the first batch alone is larger. One answer of each broker is
	// fetched ahead, so memory is bounded by twice this for each broker, times about four for decoded small records.
	// Default: 8 MiB.
	MaxBytes int

	// PartitionMaxBytes is how much of it may be of one partition, also after decompression: less is asked for when the
	// last answers turned out larger. Only a single batch can be larger than this. Default: 1 MiB.
	PartitionMaxBytes int
}

func (cfg FetcherConfig) withDefaults() FetcherConfig {
	if cfg.MaxWait <= 0 {
		cfg.MaxWait = 250 * time.Millisecond
	}
	if cfg.MinBytes <= 0 {
		cfg.MinBytes = 1
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 8 << 20
	}
	if cfg.PartitionMaxBytes <= 0 {
		cfg.PartitionMaxBytes = 1 << 20
	}
	return cfg
}

// Fetched is what came of one partition.
type Fetched struct {
	Topic     string
	Partition int32
	Records   []Record // in the order of their offsets; may be empty
	Bytes     int      // of their keys and values

	// From is the position before this.
	From int64

	// Next is the position after this. It passes what is never returned, such as aborted records, the marks that end
	// transactions and the gaps that compaction leaves, so it can be ahead of the last record, or advance without any.
	Next int64

	HighWatermark int64 // the offset of the next record to be written
	LastStable    int64 // no transaction begins before it and is still open
	LogStart      int64 // the first offset that is not deleted

	// Err ends the fetching of this partition, until it is added again. ErrOffsetOutOfRange and ErrUnknownTopic are the
	// most likely; moved leaders and broken connections are dealt with inside as long as Config.RetryTimeout.
	Err error
}

// A Fetcher reads any number of partitions: one request to each broker for all that it leads, and the next one under
// way while the records of the last are being worked on.
//
// All its methods may be called by several goroutines. Poll is for one at a time.
type Fetcher struct {
	c    *Client
	cfg  FetcherConfig
	pool [2]*pool // connections of the lanes

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // requests under way

	mu      sync.Mutex
	parts   map[TopicPartition]*inPartition
	lanes   map[laneKey]*lane
	ready   []*answer // for Poll
	looking bool      // leaders are being looked up
	arrived chan struct{}
}

// An inPartition is a partition as the fetcher sees it. All of it is under Fetcher.mu.
type inPartition struct {
	tp       TopicPartition
	offset   int64 // to fetch next
	fresh    bool  // not asked for since it was added: ask without waiting for data
	paused   bool
	parked   *Fetched  // came while it was paused
	busy     bool      // in a request under way, or in an answer not yet polled
	waiting  bool      // until a pause after a failure is over
	alone    bool      // to be fetched without others, because something in an answer was corrupt
	addr     string    // of the leader; empty when it has to be looked up
	epoch    int32     // of the leader
	end      int64     // the end that was last reported, -1 for none
	maxBytes int       // to ask for
	attempts int       // failures in a row
	since    time.Time // of the first of them
}

// Each broker has two lanes, each with a connection, one request under way and one answer not yet polled. The first is
// for everything. On the second, partitions that are fresh need not wait until the first one's wait for data is over.
type laneKey struct {
	addr  string
	quick int // 0 or 1
}

type lane struct{ busy bool }

// An answer is what came over a lane, not yet polled.
type answer struct {
	lane    *lane
	fetched []partFetched
}

type partFetched struct {
	part *inPartition // to see if it is still wanted
	Fetched
}

// NewFetcher returns a fetcher without partitions.
func (c *Client) NewFetcher(cfg FetcherConfig) *Fetcher {
	cfg = cfg.withDefaults()
	f := &Fetcher{
		c: c, cfg: cfg,
		pool:    [2]*pool{c.newPool(cfg.MaxWait), c.newPool(cfg.MaxWait)},
		parts:   make(map[TopicPartition]*inPartition),
		lanes:   make(map[laneKey]*lane),
		arrived: make(chan struct{}, 1),
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Add starts to fetch tp at offset, or moves it there. What was fetched of it before and not yet polled is dropped.
func (f *Fetcher) Add(tp TopicPartition, offset int64) {
	silenceFetchMeter(tp.Topic)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parts[tp] = &inPartition{tp: tp, offset: offset, fresh: true, end: -1, maxBytes: min(firstMaxBytes, f.cfg.PartitionMaxBytes)}
	f.dispatch()
}

// SetLimits replaces MaxBytes and PartitionMaxBytes for the requests to come.
func (f *Fetcher) SetLimits(maxBytes, partitionMaxBytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cfg.MaxBytes, f.cfg.PartitionMaxBytes = maxBytes, partitionMaxBytes
	for _, part := range f.parts {
		part.maxBytes = min(part.maxBytes, partitionMaxBytes)
	}
}

// Remove stops to fetch tp. A Poll that begins after it returns nothing of tp.
func (f *Fetcher) Remove(tp TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.parts, tp)
}

// Pause stops to fetch tp until Resume. What is under way is kept for then.
func (f *Fetcher) Pause(tp TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if part := f.parts[tp]; part != nil {
		part.paused = true
	}
}

// Resume goes on with tp where Pause stopped it.
func (f *Fetcher) Resume(tp TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	part := f.parts[tp]
	if part == nil || !part.paused {
		return
	}
	part.paused = false
	if part.parked != nil {
		f.deliver(&answer{fetched: []partFetched{{part, *part.parked}}})
		part.parked = nil
		return
	}
	part.fresh = true
	f.dispatch()
}

// Poll returns what came since it was last called, at most once for each partition, and waits until there is something
// or ctx ends. Besides records it tells, once, that a partition has been fetched to its end: Next is then not below
// LastStable (HighWatermark, for a Fetcher that reads uncommitted records), and Records may be empty.
func (f *Fetcher) Poll(ctx context.Context) ([]Fetched, error) {
	for {
		if fetched := f.take(); len(fetched) > 0 {
			return fetched, nil
		}
		select {
		case <-f.arrived:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-f.ctx.Done():
			return nil, fmt.Errorf("kafka: poll: %w", ErrClosed)
		}
	}
}

// take returns the answers that have come, without what is not wanted any more, and lets the next requests go.
func (f *Fetcher) take() []Fetched {
	f.mu.Lock()
	defer f.mu.Unlock()
	var taken []Fetched
	for _, a := range f.ready {
		if a.lane != nil {
			a.lane.busy = false
		}
		for i := range a.fetched {
			part := a.fetched[i].part
			part.busy = false
			switch {
			case f.parts[part.tp] != part:
			case part.paused:
				part.parked = &a.fetched[i].Fetched
			default:
				taken = append(taken, a.fetched[i].Fetched)
			}
		}
	}
	f.ready = nil
	f.dispatch()
	return taken
}

// deliver hands an answer to Poll. The caller holds mu.
func (f *Fetcher) deliver(a *answer) {
	for i := range a.fetched {
		a.fetched[i].part.busy = true
	}
	f.ready = append(f.ready, a)
	select {
	case f.arrived <- struct{}{}:
	default:
	}
}

// Close ends the requests under way and closes the connections. A Poll that waits returns ErrClosed.
func (f *Fetcher) Close() error {
	f.mu.Lock()
	f.cancel()
	clear(f.parts)
	f.mu.Unlock()
	for _, p := range f.pool {
		f.c.closePool(p)
	}
	f.work.Wait()
	return nil
}
