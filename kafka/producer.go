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

// ProducerConfig configures a Producer. The zero value writes without transactions.
type ProducerConfig struct {
	// TransactionalID identifies the producer across restarts: a new Producer with the same id fences the old one and
	// aborts its open transaction. Default: "", no transactions.
	TransactionalID string

	// TransactionTimeout is when the broker aborts an open transaction, measured from its first batch. An open
	// transaction blocks readers of committed records, so this bounds how long a dead process can block them. Default:
	// 10 s.
	TransactionTimeout time.Duration

	// BatchBytes is the size of a full batch, before compression. If the broker rejects a batch as larger than the
	// topic's max.message.bytes, the producer uses smaller batches for that partition. Default: 512 KiB.
	BatchBytes int

	// MaxBufferedBytes bounds the memory of unacknowledged records; Send blocks when it is reached. Requests in flight
	// take twice their size on top. Default: 32 MiB.
	MaxBufferedBytes int

	// Compression of batches: "none", "gzip", "snappy", "lz4" or "zstd". Default: "none".
	Compression string

	// Linger, if not 0, bounds how long a record may wait for its batch to fill. It is checked when Send is called.
	// Default: 0; a batch is sent when it is full and on Flush, SendOffsets and Commit.
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

// A Producer writes records in batches, each exactly once: if a batch is sent again because its answer was lost, the
// broker recognizes its sequence number. With a TransactionalID it writes in transactions.
//
// A Producer is owned by one goroutine: Send, Flush, SendOffsets, Commit and Abort do not lock per record. Any
// goroutine may call LastOffset and Close. Batches are sent in the background, with one request in flight per broker
// and one batch per partition.
//
// A record that the broker refuses, for example because it is too large, does not stop a Producer: all others are
// written, in order, and then Flush and Commit return a RefusedError until TakeRefusals is called.
//
// Any other error is permanent: all later calls return it. In a transaction, Abort clears it and the Producer can be
// used again, except after ErrFenced, ErrProducerState and ErrOutcomeUnknown. Without transactions, and after these
// three, close the Producer and make a new one, which also aborts the open transaction of the old one.
type Producer struct {
	c     *Client
	cfg   ProducerConfig
	codec sarama.CompressionCodec
	id    int64
	epoch int16
	data  *pool // connections for batches
	ctl   *pool // connections for transaction requests, which do not wait for batches

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // requests in flight

	// Owned by the caller's goroutine.
	topics    map[string][]*producerPartition
	topic     string // the topic of the last record
	byIndex   []*producerPartition
	opened    []*producerPartition // those with an open batch
	openBytes int
	full      bool            // too many sealed bytes: Send has to wait
	groups    map[string]bool // groups whose offsets are part of the transaction
	missing   error           // why offsets are missing from the transaction

	hasFailed atomic.Bool // whether err is set
	waiting   atomic.Bool // Send waits for room
	linger    atomic.Bool // time to send the open batches

	mu       sync.Mutex
	err      error
	parts    []*producerPartition // all partitions
	index    map[TopicPartition]*producerPartition
	touched  []*producerPartition // written to in this transaction and not yet added to it
	joined   []*producerPartition // added to this transaction
	began    bool                 // the coordinator has a transaction to end
	joining  bool                 // an AddPartitionsToTxn request is in flight
	looking  bool                 // a leader lookup is in flight
	busy     map[string]bool      // brokers with a request in flight
	sealed   int                  // batches that are not yet acknowledged
	buffered int                  // their bytes
	refusals []*Refusal           // of this transaction, not yet taken
	changed  chan struct{}        // closed and replaced when a batch is done or err is set
}

// producerPartition is the state of a partition in the producer.
type producerPartition struct {
	tp   TopicPartition
	open *batch // open and full are owned by the caller's goroutine; Producer.mu guards the rest
	full int    // the size of a full batch

	queue      []*batch // sealed batches, in order; the first may be in flight
	sending    bool
	touched    bool // it is in Producer.touched or joined
	joined     bool
	addr       string // of the leader; empty when it has to be looked up
	waiting    bool   // until the pause after a failure is over
	attempts   int    // failures of queue[0]
	seq        int32  // next sequence number, that of queue[0]
	lastOffset int64  // offset of the last acknowledged record, -1 if unknown
	limit      int    // largest batch that the broker accepts, as far as known
}

// NewProducer registers a producer with the cluster. With a TransactionalID it waits, up to Config.RetryTimeout, until
// the open transaction of an earlier producer with that id has ended.
func (c *Client) NewProducer(ctx context.Context, cfg ProducerConfig) (*Producer, error) {
	cfg = cfg.withDefaults()
	p := &Producer{
		c: c, cfg: cfg,
		data: c.newPool(0), ctl: c.newPool(0),
		topics:  make(map[string][]*producerPartition),
		groups:  make(map[string]bool),
		busy:    make(map[string]bool),
		index:   make(map[TopicPartition]*producerPartition),
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

// register requests the producer's id and epoch. The new epoch fences all earlier producers with the same transactional
// id.
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

// Send appends r to the open batch of a partition. It copies key, value and headers, and ignores r.Offset. It blocks
// only when MaxBufferedBytes is reached.
//
// A record that no broker accepts is refused at once with a *Refusal: its timestamp is outside of the years 1970 to
// 2262, or its size is almost 100 MiB or more (ErrRecordTooLarge). Such an error is not permanent.
func (p *Producer) Send(topic string, partition int32, r Record) error {
	return p.SendTagged(topic, partition, r, Tag{})
}

// SendTagged is Send with a tag that is returned with the record if it is refused.
func (p *Producer) SendTagged(topic string, partition int32, r Record, tag Tag) error {
	if p.hasFailed.Load() {
		return p.failure()
	}
	size := recordSize(&r)
	if r.Timestamp < 0 || r.Timestamp > maxTimestamp || size > maxRecordBytes {
		return invalidRecord(TopicPartition{topic, partition}, &r, tag, size)
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
		return p.waitForRoom()
	}
	return nil
}

// partition returns the state of a partition, creating it on first use.
func (p *Producer) partition(topic string, partition int32) (*producerPartition, error) {
	if topic != p.topic {
		p.topic, p.byIndex = topic, p.topics[topic]
	}
	if uint32(partition) < uint32(len(p.byIndex)) {
		if part := p.byIndex[partition]; part != nil {
			return part, nil
		}
	}
	if partition < 0 {
		return nil, fmt.Errorf("kafka: produce %s/%d: the partition is negative", topic, partition)
	}
	for int(partition) >= len(p.byIndex) {
		p.byIndex = append(p.byIndex, nil)
	}
	part := &producerPartition{tp: TopicPartition{topic, partition}, lastOffset: -1, limit: p.cfg.BatchBytes}
	p.byIndex[partition] = part
	p.topics[topic] = p.byIndex
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parts = append(p.parts, part)
	p.index[part.tp] = part
	return part, nil
}

// begin opens a batch.
func (p *Producer) begin(part *producerPartition) {
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

// seal queues the open batch of part for sending.
func (p *Producer) seal(part *producerPartition) {
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

// sealAll queues all open batches for sending.
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
func (p *Producer) enqueue(part *producerPartition) {
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

// waitForRoom waits until there is room for another record.
func (p *Producer) waitForRoom() error {
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

// Waiting reports whether a call of Send is blocked because MaxBufferedBytes is reached. Any goroutine may call it.
func (p *Producer) Waiting() bool { return p.waiting.Load() }

// Buffered returns how many bytes wait to be sent or acknowledged, those of open batches not among them. Any goroutine may
// call it.
func (p *Producer) Buffered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buffered
}

// InTransaction reports whether the coordinator has a transaction of the producer that has not ended, as far as the
// producer knows. Any goroutine may call it.
func (p *Producer) InTransaction() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.began
}

// Flush sends all records passed to Send so far and waits until all in-sync replicas have them. A RefusedError means
// that they have all but the refused records. If ctx ends, sending continues, and Flush can be called again.
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

// LastOffset returns the offset of the last acknowledged record of a partition. It returns false if that is unknown:
// nothing has been acknowledged, or the broker omitted the offset, as it may for a batch that it had received before.
func (p *Producer) LastOffset(tp TopicPartition) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if part := p.index[tp]; part != nil && part.lastOffset >= 0 {
		return part.lastOffset, true
	}
	return -1, false
}

// Close drops unacknowledged records and closes the connections. It does not flush. The broker aborts an open
// transaction after TransactionTimeout, or when a new Producer with the same id registers.
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

// fail stops the producer with err, unless it has stopped already, and drops all batches that are not in flight. The
// caller holds mu.
func (p *Producer) fail(err error) {
	if p.err == nil {
		p.err = err
		p.hasFailed.Store(true)
	}
	p.drop()
	p.notify()
}

// drop drops all batches that are not in flight. The caller holds mu.
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
				// The next batch would reuse a sequence number that the broker may have seen.
				p.err = fmt.Errorf("kafka: produce %v: %w", part.tp, ErrOutcomeUnknown)
				p.hasFailed.Store(true)
			}
			b.release()
		}
	}
}

// notify wakes all goroutines that wait for progress. The caller holds mu.
func (p *Producer) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// final reports whether a producer is unusable after err, even after Abort.
func final(err error) bool {
	return errors.Is(err, ErrFenced) || errors.Is(err, ErrProducerState) || errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrClosed)
}
