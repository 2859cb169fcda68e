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

// partition is one partition of the log. The fields above view belong to the engine's goroutine.
type partition struct {
	id store.PartitionID
	store.Partition
	producers map[int64]*store.Producer
	pending   []transactionStart // open transactions, the oldest first
	retained  time.Time          // time of the last retention check
	compacted time.Time          // time of the last compaction

	view atomic.Pointer[view]

	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

// transactionStart is the first offset of a transaction in a partition.
type transactionStart struct {
	producer int64
	first    int64
}

// view is what readers may see: the durable part of a partition.
type view struct {
	start  int64 // the first offset
	high   int64 // the offset after the last record
	stable int64 // the last stable offset
	size   int64 // bytes up to high
	gone   bool  // whether the topic was deleted
}

// end returns the offset up to which a reader may read.
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

// stable returns the last stable offset, the first offset of the earliest open transaction.
func (p *partition) stable() int64 {
	if len(p.pending) > 0 {
		return p.pending[0].first
	}
	return p.Next
}

// publish sets the view for readers, and wakes waiting fetches.
func (p *partition) publish(v view) {
	p.view.Store(&v)
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watchers {
		w.wake()
	}
}

// changed writes the positions of the partition.
func (p *partition) changed(c *commit) {
	c.batch.SetPartition(p.id, &p.Partition)
	c.views[p] = p.currentView()
}

// append writes a checked batch, unless it is a duplicate. It returns the offset of its first record.
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

// segmentBytes is the maximum size of a segment. A lookup by time reads at most that much, and retention by size
// deletes in such steps.
const segmentBytes = 1 << 20

// write appends bytes to the log.
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

// checkSequence returns -1 if a batch follows the producer's last one, the offset of the original if it is a duplicate,
// and an error otherwise.
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

// nextSequence returns the producer's next sequence number, which wraps to 0.
func nextSequence(known *store.Producer) int32 {
	if len(known.Batches) == 0 {
		return 0
	}
	return (known.Batches[len(known.Batches)-1].LastSequence + 1) & 0x7fffffff
}

// rememberedBatches is how many batches per producer are recognized as duplicates: as many as clients have in flight at
// once.
const rememberedBatches = 5

// remember records a batch of an idempotent producer.
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

// producer returns the state of a producer in an epoch; a new epoch starts without batches.
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

// appendMarker ends a producer's transaction in this partition.
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

// truncate makes start the first offset. It lies in the segment whose base is segment.
func (p *partition) truncate(c *commit, start, segment int64) {
	p.Start = start
	p.Cleaned = max(p.Cleaned, start)
	if start == p.Next {
		p.Segment = store.Segment{Base: start, Position: p.Size, MaxTimestamp: store.NoTimestamp}
	}
	c.batch.Truncate(p.id, start, segment)
	p.changed(c)
}
