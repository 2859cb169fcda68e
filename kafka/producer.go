package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// ProducerConfig says how a Producer writes. The zero value writes without transactions.
type ProducerConfig struct {
	// TransactionalID names the producer across restarts: a new Producer of the same id fences the one before it and
	// aborts its open transaction. Default: "", no transactions.
	TransactionalID string

	// TransactionTimeout is when the broker gives up an open transaction, counted from its first batch. Until then it
	// hides whatever comes after it from those who read committed records, so it bounds how long a dead process can
	// hold others up. Default: 10 s.
	TransactionTimeout time.Duration

	// BatchBytes is the size of a full batch, before compression. Batches to a partition become smaller when the broker
	// refuses them as too large, because the topic's max.message.bytes is below this. Default: 512 KiB.
	BatchBytes int

	// MaxBufferedBytes bounds the memory of records not yet acknowledged; Send waits when it is reached. Requests under
	// way take twice their size on top. Default: 32 MiB.
	MaxBufferedBytes int

	// Compression of batches: "none", "gzip", "snappy", "lz4" or "zstd". Default: "none".
	Compression string

	// Linger, if not 0, is how long a record may wait for its batch to fill; it is looked at when Send is called.
	// Default: 0, a batch leaves when it is full and on Flush, SendOffsets and Commit.
	Linger time.Duration
}

func (cfg ProducerConfig) withDefaults() ProducerConfig {
	if cfg.TransactionTimeout <= 0 {
		cfg.TransactionTimeout = 10 * time.Second
	}
	if cfg.BatchBytes <= 0 {
		cfg.BatchBytes = 512 << 10
	}
	if cfg.MaxBufferedBytes <= 0 {
		cfg.MaxBufferedBytes = 32 << 20
	}
	if cfg.Compression == "" {
		cfg.Compression = "none"
	}
	return cfg
}

// A Producer writes records, in batches, each exactly once: the broker recognizes by its sequence number a batch that
// was sent again because its answer was lost. With a TransactionalID it writes in transactions.
//
// A Producer is owned by one goroutine: Send, Flush, SendOffsets, Commit and Abort take no lock on the way of a record.
// LastOffset and Close may be called by anyone. Batches are sent in the background, one request under way to each
// broker and one batch to each partition.
//
// Records that are refused because of what they are, such as one that is too large, do not stop a Producer: all others
// are written, in their order, and then Flush and Commit return a RefusedError, until TakeRefusals is called.
//
// Any other error stays: all later calls return it. In a transaction, Abort clears it and the Producer goes on; not so after
// ErrFenced, ErrProducerState and ErrOutcomeUnknown, and not without transactions. Then close the Producer and make a
// new one, which also aborts what the old one left open.
type Producer struct {
	c     *Client
	cfg   ProducerConfig
	codec sarama.CompressionCodec
	id    int64
	epoch int16
	data  *pool // connections for batches
	ctl   *pool // connections for the transaction: they never wait for batches

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // requests under way

	// Owned by the caller's goroutine.
	topics    map[string][]*outPartition
	topic     string // the one that was looked up last
	byIndex   []*outPartition
	opened    []*outPartition // those with an open batch
	openBytes int
	full      bool            // too much is sealed: Send has to wait
	groups    map[string]bool // those whose offsets are part of the transaction
	missing   error           // why offsets are missing from the transaction

	stuck   atomic.Bool // err is set
	waiting atomic.Bool // Send waits for room
	linger  atomic.Bool // time to send the open batches

	mu       sync.Mutex
	err      error
	parts    []*outPartition // all there are
	index    map[TopicPartition]*outPartition
	touched  []*outPartition // written to in this transaction and not yet added to it
	joined   []*outPartition // added to this transaction
	began    bool            // the coordinator has something to end
	joining  bool            // partitions are being added to the transaction
	looking  bool            // leaders are being looked up
	busy     map[string]bool // brokers with a request under way
	sealed   int             // batches that are not yet acknowledged
	buffered int             // their bytes
	refusals []*Refusal      // in this transaction, and not yet taken
	changed  chan struct{}   // closed and replaced when a batch is done, or err is set
}

// outPartition is a partition as the producer sees it.
type outPartition struct {
	tp   TopicPartition
	open *batch // open and full are owned by the caller's goroutine; all else is under Producer.mu
	full int    // the size of a full batch

	queue    []*batch // sealed, in order; the first may be under way
	sending  bool
	touched  bool // it is in Producer.touched or joined
	joined   bool
	addr     string // of the leader; empty when it has to be looked up
	waiting  bool   // until a pause after a failure is over
	attempts int    // failures of queue[0]
	seq      int32  // sequence number of queue[0]
	last     int64  // offset of the last acknowledged record, -1 if unknown
	limit    int    // size of a full batch, as far as is known of what the broker takes
}

// NewProducer registers a producer with the cluster. With a TransactionalID, it waits until the transaction that an
// earlier producer of that id left open is over, as long as Config.RetryTimeout.
func (c *Client) NewProducer(ctx context.Context, cfg ProducerConfig) (*Producer, error) {
	cfg = cfg.withDefaults()
	p := &Producer{
		c: c, cfg: cfg,
		data: c.newPool(0), ctl: c.newPool(0),
		topics:  make(map[string][]*outPartition),
		groups:  make(map[string]bool),
		busy:    make(map[string]bool),
		index:   make(map[TopicPartition]*outPartition),
		changed: make(chan struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	err := p.codec.UnmarshalText([]byte(cfg.Compression))
	if err == nil {
		err = p.register(ctx)
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("kafka: new producer %s: %w", cfg.TransactionalID, err)
	}
	return p, nil
}

// register gets the producer's id and epoch. A new epoch fences all earlier producers of the same transactional id.
func (p *Producer) register(ctx context.Context) error {
	req := &sarama.InitProducerIDRequest{
		Version: 4, TransactionTimeout: p.cfg.TransactionTimeout, ProducerID: -1, ProducerEpoch: -1,
	}
	check := func(res *sarama.InitProducerIDResponse) error {
		p.id, p.epoch = res.ProducerID, res.ProducerEpoch
		return codeError(res.Err)
	}
	if p.cfg.TransactionalID == "" {
		return p.c.retry(ctx, func() error {
			res, err := askAny(ctx, p.c, (*sarama.Broker).InitProducerID, req)
			if err != nil {
				return err
			}
			return check(res)
		})
	}
	req.TransactionalID = &p.cfg.TransactionalID
	err := askCoordinator(ctx, p.c, p.ctl, p.coordinated(), (*sarama.Broker).InitProducerID, req, check)
	if hasCode(err, sarama.ErrInvalidTransactionTimeout) {
		return fmt.Errorf("%w: TransactionTimeout %v is above the broker's transaction.max.timeout.ms", err, p.cfg.TransactionTimeout)
	}
	return err
}

func (p *Producer) coordinated() coordinated {
	return coordinated{sarama.CoordinatorTransaction, p.cfg.TransactionalID}
}

// Send appends r to the open batch of a partition. It copies key, value and headers. It waits only when
// MaxBufferedBytes is reached. r.Offset is ignored.
//
// A record that no broker can hold is refused at once, and the error is a *Refusal: its timestamp is outside of the
// years 1970 to 2262, or it has almost 100 MiB or more (ErrRecordTooLarge). Such an error does not stay.
func (p *Producer) Send(topic string, partition int32, r Record) error {
	return p.SendTagged(topic, partition, r, Tag{})
}

// SendTagged is Send with a tag that comes back with the record if it is refused.
func (p *Producer) SendTagged(topic string, partition int32, r Record, tag Tag) error {
	if p.stuck.Load() {
		return p.failure()
	}
	size := recordSize(&r)
	if r.Timestamp < 0 || r.Timestamp > maxTimestamp || size > maxRecordBytes {
		return impossible(TopicPartition{topic, partition}, &r, tag, size)
	}
	part, err := p.partition(topic, partition)
	if err != nil {
		return err
	}
	if part.open != nil && part.open.size+size > part.full {
		p.seal(part)
	}
	if part.open == nil {
		p.begin(part)
	}
	part.open.add(&r, tag, size)
	p.openBytes += size + recordMemory
	if p.openBytes > p.cfg.MaxBufferedBytes/2 || p.linger.Load() {
		p.sealAll()
	}
	if p.full {
		return p.room()
	}
	return nil
}

// partition returns the state of a partition, which it makes when it is first written to.
func (p *Producer) partition(topic string, partition int32) (*outPartition, error) {
	if topic != p.topic {
		p.topic, p.byIndex = topic, p.topics[topic]
	}
	if uint32(partition) < uint32(len(p.byIndex)) {
		if part := p.byIndex[partition]; part != nil {
			return part, nil
		}
	}
	if partition < 0 {
		return nil, fmt.Errorf("kafka: produce %s/%d: a partition is not negative", topic, partition)
	}
	for int(partition) >= len(p.byIndex) {
		p.byIndex = append(p.byIndex, nil)
	}
	part := &outPartition{tp: TopicPartition{topic, partition}, last: -1, limit: p.cfg.BatchBytes}
	p.byIndex[partition] = part
	p.topics[topic] = p.byIndex
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parts = append(p.parts, part)
	p.index[part.tp] = part
	return part, nil
}

// begin opens a batch.
func (p *Producer) begin(part *outPartition) {
	part.open = newBatch(part)
	p.opened = append(p.opened, part)
	if p.cfg.Linger > 0 && len(p.opened) == 1 {
		time.AfterFunc(p.cfg.Linger, func() { p.linger.Store(true) })
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	part.full = part.limit
	if !part.touched {
		part.touched = true
		p.touched = append(p.touched, part)
	}
}

// seal hands the open batch of part over to be sent.
func (p *Producer) seal(part *outPartition) {
	for i, other := range p.opened {
		if other == part {
			p.opened = append(p.opened[:i], p.opened[i+1:]...)
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enqueue(part)
	p.dispatch()
}

// sealAll hands over all open batches.
func (p *Producer) sealAll() {
	p.linger.Store(false)
	if len(p.opened) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range p.opened {
		p.enqueue(part)
	}
	p.opened = p.opened[:0]
	p.dispatch()
}

// enqueue moves the open batch of part to its queue. The caller holds mu.
func (p *Producer) enqueue(part *outPartition) {
	b := part.open
	part.open = nil
	p.openBytes -= b.memory()
	if p.err != nil {
		b.release()
		return
	}
	b.finish(p)
	part.queue = append(part.queue, b)
	p.sealed++
	p.buffered += b.memory()
	p.full = p.buffered > p.cfg.MaxBufferedBytes/2
}

// room waits until there is room for another record.
func (p *Producer) room() error {
	p.full = false
	p.waiting.Store(true)
	defer p.waiting.Store(false)
	p.mu.Lock()
	for p.buffered > p.cfg.MaxBufferedBytes/2 && p.err == nil {
		changed := p.changed
		p.mu.Unlock()
		<-changed
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	return p.err
}

// Waiting reports whether a call of Send waits because MaxBufferedBytes is reached. Any goroutine may call it.
func (p *Producer) Waiting() bool { return p.waiting.Load() }

// Flush sends what has been given to Send so far and waits until all replicas in sync have it. A RefusedError says that
// they have all but the refused records. When ctx ends, sending goes on, and Flush can be called again.
func (p *Producer) Flush(ctx context.Context) error {
	p.sealAll()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.sealed > 0 && p.err == nil {
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
			p.mu.Lock()
		case <-ctx.Done():
			p.mu.Lock()
			return fmt.Errorf("kafka: flush: %w", context.Cause(ctx))
		}
	}
	if p.err == nil && len(p.refusals) > 0 {
		return &RefusedError{slices.Clone(p.refusals)}
	}
	return p.err
}

// LastOffset returns the offset of the last acknowledged record of a partition, and whether it is known: something has
// been acknowledged, and the broker told the offset, which it need not for a batch that it had received before.
func (p *Producer) LastOffset(tp TopicPartition) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if part := p.index[tp]; part != nil && part.last >= 0 {
		return part.last, true
	}
	return -1, false
}

// Close gives up what is not acknowledged and closes the connections. It does not flush, and leaves an open transaction
// to the broker, which aborts it after TransactionTimeout or for the next Producer of the same id.
func (p *Producer) Close() error {
	p.cancel()
	p.mu.Lock()
	p.fail(fmt.Errorf("kafka: producer: %w", ErrClosed))
	p.mu.Unlock()
	p.c.closePool(p.data)
	p.c.closePool(p.ctl)
	p.work.Wait()
	return nil
}

// failure returns the error that stopped the producer.
func (p *Producer) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// fail stops the producer: batches that are not under way are dropped. The first error stays. The caller holds mu.
func (p *Producer) fail(err error) {
	if p.err == nil {
		p.err = err
		p.stuck.Store(true)
	}
	p.drop()
	p.notify()
}

// drop drops all batches that are not under way. The caller holds mu.
func (p *Producer) drop() {
	for _, part := range p.parts {
		keep := 0
		if part.sending {
			keep = 1
		}
		if !part.sending {
			part.attempts = 0
		}
		for len(part.queue) > keep {
			last := len(part.queue) - 1
			b := part.queue[last]
			part.queue = part.queue[:last]
			p.sealed--
			p.buffered -= b.memory()
			if b.lost && !final(p.err) {
				// What comes next would have a sequence number that the broker may have seen.
				p.err = fmt.Errorf("kafka: produce %v: %w", part.tp, ErrOutcomeUnknown)
				p.stuck.Store(true)
			}
			b.release()
		}
	}
}

// notify wakes whoever waits for progress. The caller holds mu.
func (p *Producer) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// final reports whether a producer cannot go on after err, not even after Abort.
func final(err error) bool {
	return errors.Is(err, ErrFenced) || errors.Is(err, ErrProducerState) || errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrClosed)
}
