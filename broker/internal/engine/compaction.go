package engine

import (
	"hash/maphash"
	"math"
	"time"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// Compaction keeps the last record of each key. It works beside the engine, on one partition at a time, in two passes over a
// state of the store that does not change: the first notes the last offset of each key in what is new, the second writes the
// batches again that have records with a later one. The engine puts them in place of the old, a step at a time.
//
// A crash between two steps loses nothing: what replaces a record lies behind it in the log, and stays.
//
//   - It ends before the first open transaction, and leaves the last batch alone, so that a reader can come to the end.
//   - Records of aborted transactions go, and replace nothing. Their marker and the note of them go with them.
//   - A tombstone stays for delete.retention.ms after it was compacted first; the batch says until when (KIP-534).
//   - A batch keeps its place: its base offset and its last one.
//   - A batch that cannot be read stays as it is, and replaces nothing.

const (
	// maxKeys bounds what the first pass notes, and so its memory, to about 40 MiB. A longer log takes several rounds.
	maxKeys = 500_000

	// noMaxLag is max.compaction.lag.ms where a topic does not set it.
	noMaxLag = math.MaxInt64 / time.Millisecond * time.Millisecond

	// afterFailure is how long a partition is left alone that could not be compacted.
	afterFailure = time.Minute

	// stepBytes is how much the engine puts in place at a time.
	stepBytes = 1 << 20
)

// cleaner compacts one partition, once.
type cleaner struct {
	e        *Engine
	p        *partition
	reader   *store.Reader
	settings settings
	now      int64

	start, from, end int64 // of the log, of what is new, and of what is looked at
	aborted          []store.Aborted
	keys             map[keyHash]int64 // the last offset of a key
	noted            []notedKey        // of one batch
	seeds            [2]maphash.Seed
	records          batch.Reader
	writer           batch.Writer
	step             step
	overdue          bool  // the time of a tombstone is over
	horizon          int64 // when the next one can go, 0 for never
}

// keyHash stands for a key: two hashes, so that no two keys have the same.
type keyHash [2]uint64

type notedKey struct {
	hash   keyHash
	offset int64
}

// step is changes that wait to be put in place.
type step struct {
	changes []change
	bytes   int
}

// change replaces a batch, or removes it, and with a marker the note of its transaction.
type change struct {
	last    int64
	records []byte // nil: remove
	marker  bool
}

// startCleaning compacts one partition that is due, if none is being compacted.
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
					e: e, p: p, settings: t.settings, now: now.UnixMilli(), overdue: p.horizonIsOver(now.UnixMilli()),
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

// compactionIsDue tells by offsets how much of a partition is new; and whether a tombstone can go.
func (p *partition) compactionIsDue(s *settings, now time.Time) bool {
	stable := p.view.Load().stable
	fresh := stable - p.Cleaned
	switch {
	case now.Sub(p.compacted) < sweepInterval:
		return false
	case p.horizonIsOver(now.UnixMilli()):
		return true
	case fresh <= 1: // the last batch is left alone
		return false
	case s.maxLag < noMaxLag && now.Sub(p.compacted) >= s.maxLag:
		return true
	}
	return float64(fresh) >= s.dirtyRatio*float64(stable-p.Start)
}

// horizonIsOver reports whether the time of a tombstone is over.
func (p *partition) horizonIsOver(now int64) bool { return p.Horizon > 0 && now >= p.Horizon }

func (c *cleaner) run() {
	defer c.e.idle.Done()
	err := c.clean()
	if err != nil {
		c.e.log.Error("broker: compaction stopped", "again in", afterFailure, "error", err)
	}
	c.e.do(func() {
		c.e.cleaning = false
		if err != nil {
			c.p.compacted = c.e.clock().Add(afterFailure - sweepInterval)
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
	if err := c.note(); err != nil {
		return err
	}
	if c.end <= c.from && !c.overdue {
		return nil // nothing is new, and nothing can go
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

// note is the first pass. It ends before the last batch, or before what is too young or too much.
func (c *cleaner) note() error {
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
			c.noteKeys(stored.Bytes)
		}
	}
	return nil
}

// noteKeys notes the keys of a batch: all, or none if it cannot be read as a whole, which the second pass says.
func (c *cleaner) noteKeys(records []byte) {
	c.noted = c.noted[:0]
	if c.each(records, func(r *batch.Record) { c.noted = append(c.noted, notedKey{c.hash(r.Key), r.Offset}) }) != nil {
		return
	}
	for _, n := range c.noted {
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

// isAborted reports whether a batch belongs to a transaction that was aborted.
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
	h, err := batch.Verify(stored.Bytes) // what is written again has a new CRC, which must not cover up damage
	switch {
	case err != nil:
		c.leave(stored.Last, err)
		return nil
	case h.Attributes.Control():
		c.put(change{last: stored.Last, marker: true}) // all that it decided has been dealt with before it
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
		c.leave(stored.Last, err)
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
	c.expect(&after, tombstones)
	if lost == 0 && after == h {
		return nil
	}
	return c.writeAgain(&h, &after, stored)
}

// leave says that a batch stays because it cannot be read.
func (c *cleaner) leave(last int64, err error) {
	c.e.log.Error("broker: compaction leaves a batch alone that it cannot read", "partition", c.p.id, "last offset", last, "error", err)
}

// expect notes when the tombstones of a batch can go.
func (c *cleaner) expect(h *batch.Header, tombstones int) {
	if tombstones > 0 && (c.horizon == 0 || h.BaseTimestamp < c.horizon) {
		c.horizon = max(1, h.BaseTimestamp)
	}
}

// keeps reports whether a record stays: it is the last of its key, and no tombstone whose time is over.
func (c *cleaner) keeps(h *batch.Header, r *batch.Record) bool {
	if last, ok := c.keys[c.hash(r.Key)]; ok && last > r.Offset {
		return false
	}
	return r.Value != nil || !h.Attributes.DeleteHorizon() || c.now < h.BaseTimestamp
}

// writeAgain writes what stays of a batch, under another header.
func (c *cleaner) writeAgain(before, after *batch.Header, stored store.StoredRecords) error {
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

// apply has the engine put the step in place and waits for it; false if there is no more reason to go on.
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

// replace puts a compacted batch in place of the one that ends where it ends, unless that has been deleted since.
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
