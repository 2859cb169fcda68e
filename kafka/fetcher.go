package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// FetcherConfig configures a Fetcher. The zero value reads committed records.
type FetcherConfig struct {
	// ReadUncommitted also returns records of open and aborted transactions. Default: false.
	ReadUncommitted bool

	// MaxWait bounds how long a broker waits for data before it sends an empty answer. A partition added meanwhile does
	// not wait for it. Default: 250 ms.
	MaxWait time.Duration

	// MinBytes is the amount of data for which a broker answers before MaxWait. Default: 1.
	MinBytes int

	// MaxBytes is the maximum size of one answer; only a single first batch can exceed it. The fetcher prefetches one
	// answer per broker, so the memory is at most twice MaxBytes per broker; decoding small records takes about four
	// times that. Default: 8 MiB.
	MaxBytes int

	// PartitionMaxBytes is the maximum size per partition in an answer, also after decompression: the fetcher requests
	// less if recent answers expanded beyond it. Only a single batch can exceed it. Default: 1 MiB.
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

// Fetched is what Poll returns for one partition.
type Fetched struct {
	Topic     string
	Partition int32
	Records   []Record // in offset order; may be empty
	Bytes     int      // total size of keys and values

	// From is the position before this fetch.
	From int64

	// Next is the position after this fetch. It skips what is never returned (aborted records, control batches, gaps
	// from compaction), so it may be ahead of the last record, or advance without any record.
	Next int64

	HighWatermark int64 // the offset of the next record to be written
	LastStable    int64 // the first offset of the earliest open transaction, or HighWatermark
	LogStart      int64 // the first offset that has not been deleted

	// Err, if not nil, means that this partition is no longer fetched until it is added again. ErrOffsetOutOfRange and
	// ErrUnknownTopic are the most likely; moved leaders and broken connections are retried for Config.RetryTimeout.
	Err error
}

// A Fetcher reads any number of partitions. It sends each broker one request for all partitions that the broker leads,
// and prefetches the next answer while the caller processes the last one.
//
// Its methods may be called by several goroutines, but Poll by one at a time.
type Fetcher struct {
	c    *Client
	cfg  FetcherConfig
	pool [2]*pool // connections, one pool per lane

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // requests in flight

	mu      sync.Mutex
	parts   map[TopicPartition]*fetcherPartition
	lanes   map[laneKey]*lane
	ready   []*answer // answers for Poll
	looking bool      // a leader lookup is in flight
	arrived chan struct{}
}

// A fetcherPartition is the state of a partition in the fetcher. Fetcher.mu guards all of it.
type fetcherPartition struct {
	tp       TopicPartition
	offset   int64 // to fetch next
	fresh    bool  // not fetched since it was added: request it without waiting for data
	paused   bool
	parked   *Fetched  // arrived while the partition was paused
	busy     bool      // in a request in flight, or in an answer not yet polled
	waiting  bool      // until the pause after a failure is over
	alone    bool      // fetch it without others, because an answer was corrupt
	addr     string    // of the leader; empty when it has to be looked up
	epoch    int32     // of the leader
	end      int64     // the last end that Poll reported, -1 for none
	maxBytes int       // to request
	attempts int       // consecutive failures
	since    time.Time // time of the first of them
}

// Each broker has two lanes, each with a connection, one request in flight and one answer not yet polled. The first
// lane serves all partitions. The second serves newly added partitions, which would otherwise wait while a request of
// the first lane waits for data.
type laneKey struct {
	addr  string
	quick int // 0 or 1
}

type lane struct{ busy bool }

// An answer is what arrived over a lane and is not yet polled.
type answer struct {
	lane    *lane
	fetched []partFetched
}

type partFetched struct {
	part *fetcherPartition // to check whether it is still wanted
	Fetched
}

// NewFetcher returns a fetcher without partitions.
func (c *Client) NewFetcher(cfg FetcherConfig) *Fetcher {
	cfg = cfg.withDefaults()
	f := &Fetcher{
		c: c, cfg: cfg,
		pool:    [2]*pool{c.newPool(cfg.MaxWait), c.newPool(cfg.MaxWait)},
		parts:   make(map[TopicPartition]*fetcherPartition),
		lanes:   make(map[laneKey]*lane),
		arrived: make(chan struct{}, 1),
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Add starts to fetch tp at offset, or moves it there. Records of tp that were fetched before and not yet polled are
// dropped.
func (f *Fetcher) Add(tp TopicPartition, offset int64) {
	silenceFetchMeter(tp.Topic)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parts[tp] = &fetcherPartition{tp: tp, offset: offset, fresh: true, end: -1, maxBytes: min(firstMaxBytes, f.cfg.PartitionMaxBytes)}
	f.dispatch()
}

// SetLimits changes MaxBytes and PartitionMaxBytes for later requests.
func (f *Fetcher) SetLimits(maxBytes, partitionMaxBytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cfg.MaxBytes, f.cfg.PartitionMaxBytes = maxBytes, partitionMaxBytes
	for _, part := range f.parts {
		part.maxBytes = min(part.maxBytes, partitionMaxBytes)
	}
}

// Remove stops fetching tp. Later calls of Poll return nothing of tp.
func (f *Fetcher) Remove(tp TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.parts, tp)
}

// Pause stops fetching tp until Resume. The answer to a request in flight is kept until then.
func (f *Fetcher) Pause(tp TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if part := f.parts[tp]; part != nil {
		part.paused = true
	}
}

// Resume continues a paused partition at the same position.
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

// Poll waits for data, or until ctx ends, and returns what arrived since the last call, at most one Fetched per
// partition. It also reports, once, that a partition has been fetched to its end: Next is then not below LastStable
// (HighWatermark, for a Fetcher that reads uncommitted records), and Records may be empty.
func (f *Fetcher) Poll(ctx context.Context) ([]Fetched, error) {
	for {
		if fetched := f.takeAnswers(); len(fetched) > 0 {
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

// takeAnswers returns the answers that have arrived, without those that are no longer wanted, and sends the next
// requests.
func (f *Fetcher) takeAnswers() []Fetched {
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

// deliver queues an answer for Poll. The caller holds mu.
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

// Close ends the requests in flight and closes the connections. A waiting Poll returns ErrClosed.
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
