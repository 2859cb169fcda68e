package engine

import (
	"hash/maphash"
	"math"
	"time"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// Compaction keeps the last record of each key. It runs beside the engine, on one partition at a time, in two passes
// over a snapshot of the store: the first collects the last offset of each key in the new part of the log, the second
// rewrites the batches that contain older records of these keys. The engine then replaces the old batches, a step at a
// time.
//
// A crash between two steps loses nothing: the record that supersedes another is later in the log, and stays.
//
//   - Compaction ends before the first open transaction, and leaves the last batch alone, so that a reader can reach the end.
//   - Records of aborted transactions are removed, and supersede nothing. Their marker and their entry in the store are removed with them.
//   - A tombstone stays for delete.retention.ms after its first compaction; the batch header says until when (KIP-534).
//   - A batch keeps its base offset and its last offset.
//   - A batch that cannot be read stays as it is, and supersedes nothing.

const (
	// maxKeys bounds the keys that the first pass collects, and so its memory, to about 40 MiB. A longer log takes
	// several rounds.
	maxKeys = 500_000

	// noMaxLag is max.compaction.lag.ms of a topic that does not set it.
	noMaxLag = math.MaxInt64 / time.Millisecond * time.Millisecond

	// retryInterval is how long to wait after a failed compaction of a partition.
	retryInterval = time.Minute

	// stepBytes is the size of the changes that the engine applies at a time.
	stepBytes = 1 << 20
)

// cleaner compacts one partition, once.
type cleaner struct {
	e        *Engine
	p        *partition
	reader   *store.Reader
	settings settings
	now      int64

	start, from, end int64 // the start of the log, of its new part, and the end of what is compacted
	aborted          []store.Aborted
	keys             map[keyHash]int64 // last offset of each key
	batchKeys        []batchKey        // the keys of one batch
	seeds            [2]maphash.Seed
	records          batch.Reader
	writer           batch.Writer
	step             step
	overdue          bool  // a tombstone can be removed
	horizon          int64 // when the next tombstone can be removed, 0 for never
}

// keyHash identifies a key: with two hashes, collisions do not occur in practice.
type keyHash [2]uint64

type batchKey struct {
	hash   keyHash
	offset int64
}

// step holds changes to be applied together.
type step struct {
	changes []change
	bytes   int
}

// change replaces a batch, or removes it; for a marker it also removes the aborted transaction.
type change struct {
	last    int64
	records []byte // nil to remove the batch
	marker  bool
}

// startCleaning starts to compact one partition that needs it, unless a compaction is running.
func (e *Engine) startCleaning(now time.Time) {
	if e.cleaning {
		return
	}
	for _, t := range e.topics {
		for _, p := range t.partitions {
			if t.settings.compact && p.compactionIsDue(&t.settings, now) {
				p.compacted = now
				e.cleaning = true
				c := &cleaner{
					e: e, p: p, settings: t.settings, now: now.UnixMilli(), overdue: p.horizonPassed(now.UnixMilli()),
					start: p.Start, from: p.Cleaned, end: p.view.Load().stable,
					keys: make(map[keyHash]int64), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
				}
				e.idle.Add(1)
				go c.run()
				return
			}
		}
	}
}

// compactionIsDue reports whether enough of a partition is new, measured in offsets, or a tombstone can be removed.
func (p *partition) compactionIsDue(s *settings, now time.Time) bool {
	stable := p.view.Load().stable
	fresh := stable - p.Cleaned
	switch {
	case now.Sub(p.compacted) < sweepInterval:
		return false
	case p.horizonPassed(now.UnixMilli()):
		return true
	case fresh <= 1: // the last batch stays
		return false
	case s.maxLag < noMaxLag && now.Sub(p.compacted) >= s.maxLag:
		return true
	}
	return float64(fresh) >= s.dirtyRatio*float64(stable-p.Start)
}

// horizonPassed reports whether a tombstone can be removed.
func (p *partition) horizonPassed(now int64) bool { return p.Horizon > 0 && now >= p.Horizon }

func (c *cleaner) run() {
	defer c.e.idle.Done()
	err := c.clean()
	if err != nil {
		c.e.log.Error("broker: compaction failed", "retry in", retryInterval, "error", err)
	}
	c.e.do(func() {
		c.e.cleaning = false
		if err != nil {
			c.p.compacted = c.e.clock().Add(retryInterval - sweepInterval)
		}
		c.e.startCleaning(c.e.clock())
	})
}

func (c *cleaner) clean() (err error) {
	if c.reader, err = c.e.newReader(); err != nil {
		return err
	}
	defer c.reader.Close()
	for a, err := range c.reader.Aborted(c.p.id, c.start) {
		if err != nil {
			return err
		}
		c.aborted = append(c.aborted, a)
	}
	if err := c.collectKeys(); err != nil {
		return err
	}
	if c.end <= c.from && !c.overdue {
		return nil // nothing is new, and nothing can be removed
	}
	for stored, err := range c.reader.Records(c.p.id, c.start) {
		if err != nil {
			return err
		}
		if stored.Last >= c.end {
			break
		}
		if err := c.rewrite(stored); err != nil {
			return err
		}
		if c.step.bytes >= stepBytes && !c.apply(nil) {
			return nil
		}
	}
	c.apply(func() {
		c.p.Cleaned, c.p.Horizon = max(c.p.Cleaned, c.end), c.horizon
		c.p.changed(c.e.open)
	})
	return nil
}

// collectKeys is the first pass. It ends before the last batch, at records that are too young, or when it has maxKeys
// keys.
func (c *cleaner) collectKeys() error {
	limit := c.end
	c.end = c.from
	for stored, err := range c.reader.Records(c.p.id, c.from) {
		if err != nil {
			return err
		}
		if stored.Last >= limit-1 {
			return nil
		}
		h, err := batch.Verify(stored.Bytes)
		tooYoung := c.settings.minLag > 0 && h.MaxTimestamp > c.now-c.settings.minLag.Milliseconds()
		if err == nil && (tooYoung || len(c.keys)+int(h.Count) > maxKeys && c.end > c.from) {
			return nil
		}
		c.end = stored.Last + 1
		if err == nil && !h.Attributes.Control() && !c.isAborted(&h) {
			c.addKeys(stored.Bytes)
		}
	}
	return nil
}

// addKeys collects the keys of a batch: all, or none if the batch cannot be read; the second pass logs that.
func (c *cleaner) addKeys(records []byte) {
	c.batchKeys = c.batchKeys[:0]
	if c.each(records, func(r *batch.Record) { c.batchKeys = append(c.batchKeys, batchKey{c.hash(r.Key), r.Offset}) }) != nil {
		return
	}
	for _, n := range c.batchKeys {
		c.keys[n.hash] = n.offset
	}
}

func (c *cleaner) hash(key []byte) keyHash {
	return keyHash{maphash.Bytes(c.seeds[0], key), maphash.Bytes(c.seeds[1], key)}
}

func (c *cleaner) each(records []byte, do func(*batch.Record)) error {
	if _, err := c.records.Reset(records); err != nil {
		return err
	}
	for {
		r, err := c.records.Next()
		if isEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		do(r)
	}
}

// isAborted reports whether a batch belongs to an aborted transaction.
func (c *cleaner) isAborted(h *batch.Header) bool {
	if !h.Attributes.Transactional() {
		return false
	}
	for _, a := range c.aborted {
		if a.Producer == h.ProducerID && a.First <= h.BaseOffset && h.BaseOffset < a.Last {
			return true
		}
	}
	return false
}

// rewrite is the second pass, for one batch.
func (c *cleaner) rewrite(stored store.StoredRecords) error {
	h, err := batch.Verify(stored.Bytes) // the rewritten batch gets a new CRC, which must not hide damage
	switch {
	case err != nil:
		c.logUnreadable(stored.Last, err)
		return nil
	case h.Attributes.Control():
		c.put(change{last: stored.Last, marker: true}) // all records of its transaction have been removed
		return nil
	case c.isAborted(&h):
		c.put(change{last: stored.Last})
		return nil
	}
	lost, tombstones := 0, 0
	err = c.each(stored.Bytes, func(r *batch.Record) {
		switch {
		case !c.keeps(&h, r):
			lost++
		case r.Value == nil:
			tombstones++
		}
	})
	if err != nil {
		c.logUnreadable(stored.Last, err)
		return nil
	}
	if lost == int(h.Count) {
		c.put(change{last: stored.Last})
		return nil
	}
	after := h
	if tombstones > 0 && !h.Attributes.DeleteHorizon() {
		after.Attributes |= batch.DeleteHorizon
		after.BaseTimestamp = c.now + c.settings.deleteRetention.Milliseconds()
	}
	c.noteHorizon(&after, tombstones)
	if lost == 0 && after == h {
		return nil
	}
	return c.writeBatch(&h, &after, stored)
}

// logUnreadable logs that a batch stays because it cannot be read.
func (c *cleaner) logUnreadable(last int64, err error) {
	c.e.log.Error("broker: compaction skips an unreadable batch", "partition", c.p.id, "last offset", last, "error", err)
}

// noteHorizon updates when the next tombstone can be removed.
func (c *cleaner) noteHorizon(h *batch.Header, tombstones int) {
	if tombstones > 0 && (c.horizon == 0 || h.BaseTimestamp < c.horizon) {
		c.horizon = max(1, h.BaseTimestamp)
	}
}

// keeps reports whether a record stays: it is the last one of its key, and not an expired tombstone.
func (c *cleaner) keeps(h *batch.Header, r *batch.Record) bool {
	if last, ok := c.keys[c.hash(r.Key)]; ok && last > r.Offset {
		return false
	}
	return r.Value != nil || !h.Attributes.DeleteHorizon() || c.now < h.BaseTimestamp
}

// writeBatch writes the remaining records of a batch, with the new header.
func (c *cleaner) writeBatch(before, after *batch.Header, stored store.StoredRecords) error {
	c.writer.Reset(*after)
	err := c.each(stored.Bytes, func(r *batch.Record) {
		if c.keeps(before, r) {
			c.writer.AppendRecord(r)
		}
	})
	if err != nil {
		return err
	}
	c.put(change{last: stored.Last, records: append([]byte(nil), c.writer.Finish(stored.Last)...)})
	return nil
}

func (c *cleaner) put(ch change) {
	c.step.changes = append(c.step.changes, ch)
	c.step.bytes += 64 + len(ch.records)
}

// apply has the engine apply the step and waits for it. It returns false if the compaction should stop.
func (c *cleaner) apply(finally func()) bool {
	changes := c.step.changes
	c.step = step{}
	done := make(chan bool, 1)
	c.e.send(c.e.writes, func() {
		if c.e.partitions[c.p.id] != c.p {
			done <- false
			return
		}
		for _, ch := range changes {
			c.p.replace(c.e.open, ch)
		}
		if finally != nil {
			finally()
		}
		c.e.after(func(err error) { done <- err == nil })
	})
	select {
	case ok := <-done:
		return ok
	case <-c.e.stop:
		return false
	}
}

// replace replaces the batch that ends at the same offset, unless it has been deleted since.
func (p *partition) replace(c *commit, ch change) {
	switch {
	case ch.last < p.Start:
	case ch.records != nil:
		c.batch.SetRecords(p.id, ch.last, ch.records)
	default:
		c.batch.DeleteRecords(p.id, ch.last)
		if ch.marker {
			c.batch.DeleteAborted(p.id, ch.last)
		}
	}
}
