package engine

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// partition is one partition of the log. The fields above view belong to the goroutine of the engine.
type partition struct {
	id store.PartitionID
	store.Partition
	producers map[int64]*store.Producer
	pending   []transactionStart // open transactions, the oldest first
	retained  time.Time          // when retention looked last
	compacted time.Time          // when compaction did

	view atomic.Pointer[view]

	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

// transactionStart is where a transaction begins in a partition.
type transactionStart struct {
	producer int64
	first    int64
}

// view is what readers may know: what is durable.
type view struct {
	start  int64 // the first offset
	high   int64 // behind the last record
	stable int64 // behind the last record whose transaction is decided
	size   int64 // bytes up to high
	gone   bool  // the topic was deleted
}

// end is the offset up to which a reader reads.
func (v *view) end(isolation int8) int64 {
	if isolation == readCommitted {
		return v.stable
	}
	return v.high
}

func newPartition(id store.PartitionID, p store.Partition) *partition {
	n := &partition{id: id, Partition: p, producers: make(map[int64]*store.Producer), watchers: make(map[*watcher]struct{})}
	n.publish(n.currentView())
	return n
}

func (p *partition) currentView() view {
	return view{start: p.Start, high: p.Next, stable: p.stable(), size: p.Size}
}

// stable is the last stable offset: no transaction before it is open.
func (p *partition) stable() int64 {
	if len(p.pending) > 0 {
		return p.pending[0].first
	}
	return p.Next
}

// publish lets readers know a view, and wakes those who wait for it.
func (p *partition) publish(v view) {
	p.view.Store(&v)
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watchers {
		w.wake()
	}
}

// changed writes how far the partition is.
func (p *partition) changed(c *commit) {
	c.batch.SetPartition(p.id, &p.Partition)
	c.views[p] = p.currentView()
}

// append writes a batch that was checked, or finds that it is there already. It returns the offset of its first record.
func (p *partition) append(c *commit, now int64, s *settings, h *batch.Header, records []byte) (int64, error) {
	if h.Idempotent() {
		if base, err := p.checkSequence(h); err != nil || base >= 0 {
			return base, err
		}
	}
	if s.logAppendTime {
		batch.SetLogAppendTime(records, now)
		h.MaxTimestamp = now
	}
	base := p.Next
	last := base + int64(h.LastOffsetDelta)
	p.write(c, s.segmentAge(), base, last, h.MaxTimestamp, records)
	if h.Idempotent() {
		p.remember(c, now, h, base, last)
	}
	p.changed(c)
	return base, nil
}

// segmentBytes is how large a segment grows: what a look-up by time reads at most, and the step of retention by size.
const segmentBytes = 1 << 20

// write adds bytes at the end of the log.
func (p *partition) write(c *commit, segmentAge, base, last, timestamp int64, records []byte) {
	s := &p.Segment
	if p.Size > s.Position && (p.Size-s.Position >= segmentBytes || timestamp-s.First >= segmentAge) {
		c.batch.SetSegment(p.id, s)
		*s = store.Segment{Base: base, Position: p.Size, MaxTimestamp: store.NoTimestamp}
	}
	if p.Size == s.Position {
		s.Base, s.First = base, timestamp
	}
	if timestamp > s.MaxTimestamp {
		s.MaxTimestamp = timestamp
	}
	c.batch.AppendRecords(p.id, base, last, records)
	p.Next = last + 1
	p.Size += int64(len(records))
}

// checkSequence tells a batch that follows the producer's last (-1), one that was written before (its offset), and one that
// must not be written.
func (p *partition) checkSequence(h *batch.Header) (int64, error) {
	known := p.producers[h.ProducerID]
	switch {
	case known == nil:
		return -1, nil // new, or forgotten since
	case h.ProducerEpoch < known.Epoch:
		return -1, kerr.InvalidProducerEpoch
	case h.ProducerEpoch > known.Epoch:
		if h.BaseSequence != 0 {
			return -1, kerr.OutOfOrderSequenceNumber
		}
		return -1, nil
	}
	for _, b := range known.Batches {
		if b.FirstSequence == h.BaseSequence && b.LastSequence == h.LastSequence() {
			return b.BaseOffset, nil
		}
	}
	if h.BaseSequence != nextSequence(known) {
		return -1, kerr.OutOfOrderSequenceNumber
	}
	return -1, nil
}

// nextSequence is the sequence number that a producer goes on with; after the last one comes 0.
func nextSequence(known *store.Producer) int32 {
	if len(known.Batches) == 0 {
		return 0
	}
	return (known.Batches[len(known.Batches)-1].LastSequence + 1) & 0x7fffffff
}

// rememberedBatches is how many batches of a producer can be repeated: as many as clients have under way at once.
const rememberedBatches = 5

// remember notes a batch of an idempotent producer.
func (p *partition) remember(c *commit, now int64, h *batch.Header, base, last int64) {
	known := p.producer(h.ProducerID, h.ProducerEpoch)
	known.Batches = append(known.Batches, store.SequencedBatch{
		FirstSequence: h.BaseSequence, LastSequence: h.LastSequence(), BaseOffset: base, LastOffset: last, Timestamp: h.MaxTimestamp,
	})
	if n := len(known.Batches) - rememberedBatches; n > 0 {
		known.Batches = slices.Delete(known.Batches, 0, n)
	}
	known.Written = now
	if h.Attributes.Transactional() && known.Transaction < 0 {
		known.Transaction = base
		p.pending = append(p.pending, transactionStart{h.ProducerID, base})
	}
	c.batch.SetProducer(p.id, known)
}

// producer returns what is known of a producer in an epoch; a new epoch begins without batches.
func (p *partition) producer(id int64, epoch int16) *store.Producer {
	known := p.producers[id]
	if known == nil {
		known = &store.Producer{ID: id, Epoch: epoch, CoordinatorEpoch: -1, Transaction: -1}
		p.producers[id] = known
	}
	if epoch > known.Epoch {
		known.Epoch, known.Batches = epoch, nil
	}
	return known
}

// appendMarker ends the transaction of a producer in this partition.
func (p *partition) appendMarker(c *commit, now, id int64, epoch int16, committed bool) {
	offset := p.Next
	p.write(c, math.MaxInt64, offset, offset, now, batch.Marker(offset, now, id, epoch, committed, 0))
	known := p.producer(id, epoch)
	known.CoordinatorEpoch, known.Written = 0, now
	if known.Transaction >= 0 {
		p.pending = slices.DeleteFunc(p.pending, func(s transactionStart) bool { return s.producer == id })
		if !committed {
			c.batch.SetAborted(p.id, &store.Aborted{Producer: id, First: known.Transaction, Last: offset, Stable: p.stable()})
		}
		known.Transaction = -1
	}
	c.batch.SetProducer(p.id, known)
	p.changed(c)
}

// truncate makes start the first offset. It lies in the segment that begins at segment.
func (p *partition) truncate(c *commit, start, segment int64) {
	p.Start = start
	p.Cleaned = max(p.Cleaned, start)
	if start == p.Next {
		p.Segment = store.Segment{Base: start, Position: p.Size, MaxTimestamp: store.NoTimestamp}
	}
	c.batch.Truncate(p.id, start, segment)
	p.changed(c)
}
