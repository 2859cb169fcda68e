package store

import (
	"fmt"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

// Summary counts what a check has read.
type Summary struct {
	Topics, Partitions, Groups, Transactions int
	Batches, Records, Bytes                  int64
}

// checker reads a store and checks that its entries agree with each other.
type checker struct {
	Summary
	r       *Reader
	report  func(problem string)
	topics  map[uint32]Topic
	names   map[string]Topic
	open    map[PartitionID]map[int64]bool // open transactions according to the partitions, by producer
	records batch.Reader
}

// Check reads everything in the store and reports damage and inconsistencies, one line each. It returns an error if it
// could not continue.
func (db *DB) Check(report func(problem string)) (Summary, error) {
	c := &checker{report: report, topics: make(map[uint32]Topic), names: make(map[string]Topic), open: make(map[PartitionID]map[int64]bool)}
	for _, look := range []func() error{c.checkTopics, c.checkPartitions, c.checkProducers, c.checkTransactions, c.checkGroups} {
		var err error
		if c.r, err = db.NewReader(); err != nil {
			return c.Summary, err
		}
		err = look()
		if closeErr := c.r.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			report(err.Error())
		}
	}
	return c.Summary, nil
}

func (c *checker) problemf(format string, args ...any) { c.report(fmt.Sprintf(format, args...)) }

func (c *checker) checkTopics() error {
	counters, err := c.r.Counters()
	if err != nil {
		return err
	}
	for t, err := range c.r.Topics() {
		if err != nil {
			return err
		}
		c.Topics++
		if other, taken := c.topics[t.Number]; taken {
			c.problemf("topics %s and %s have the same number, %d", t.Name, other.Name, t.Number)
		}
		if t.Number >= counters.Topic {
			c.problemf("topic %s has number %d, which would be assigned again", t.Name, t.Number)
		}
		c.topics[t.Number], c.names[t.Name] = t, t
	}
	return nil
}

// name returns the name of a partition for messages.
func (c *checker) name(id PartitionID) string {
	if t, ok := c.topics[id.Topic]; ok {
		return fmt.Sprintf("%s/%d", t.Name, id.Partition)
	}
	return "deleted topic " + id.String()
}

func (c *checker) checkPartitions() error {
	var list []OfPartition[Partition]
	found := make(map[uint32]int32)
	for p, err := range c.r.Partitions() {
		if err != nil {
			return err
		}
		list = append(list, p)
		found[p.ID.Topic]++
	}
	for _, t := range c.topics {
		if found[t.Number] != t.Partitions {
			c.problemf("topic %s has %d partitions, not %d", t.Name, found[t.Number], t.Partitions)
		}
	}
	for _, p := range list {
		c.Partitions++
		if _, ok := c.topics[p.ID.Topic]; !ok {
			c.problemf("%s: a partition is left", c.name(p.ID))
			continue
		}
		c.checkLog(p.ID, &p.Entry)
	}
	return nil
}

// checkLog checks the batches and the segments of a partition.
func (c *checker) checkLog(id PartitionID, p *Partition) {
	if p.Start < 0 || p.Start > p.Next || p.Cleaned > p.Next {
		c.problemf("%s: positions out of order: start %d, compacted to %d, end %d", c.name(id), p.Start, p.Cleaned, p.Next)
	}
	next := int64(0)
	for stored, err := range c.r.Records(id, 0) {
		if err != nil {
			c.problemf("%s: %v", c.name(id), err)
			return
		}
		next = c.checkBatch(id, stored, next)
	}
	if next > p.Next {
		c.problemf("%s: the last batch ends at %d, but the partition at %d", c.name(id), next-1, p.Next)
	}
	position := int64(-1)
	for s, err := range c.r.Segments(id) {
		switch {
		case err != nil:
			c.problemf("%s: %v", c.name(id), err)
			return
		case s.Position < position || s.Position > p.Size || s.Base > p.Next:
			c.problemf("%s: the segment at %d has position %d, out of order", c.name(id), s.Base, s.Position)
		}
		position = s.Position
	}
}

// checkBatch checks one batch, whose offsets must not be below next. It returns the offset after it.
func (c *checker) checkBatch(id PartitionID, stored StoredRecords, next int64) int64 {
	c.Batches++
	c.Bytes += int64(len(stored.Bytes))
	h, err := batch.Verify(stored.Bytes)
	switch {
	case err != nil:
		c.problemf("%s: the batch that ends at %d: %v", c.name(id), stored.Last, err)
	case h.LastOffset() != stored.Last:
		c.problemf("%s: the batch stored at last offset %d ends at %d", c.name(id), stored.Last, h.LastOffset())
	case h.BaseOffset < next:
		c.problemf("%s: the batch at %d overlaps the one before it, which ends at %d", c.name(id), h.BaseOffset, next-1)
	default:
		c.Records += int64(h.Count)
		if _, err := c.records.Reset(stored.Bytes); err != nil {
			c.problemf("%s: the batch at %d: %v", c.name(id), h.BaseOffset, err)
		}
	}
	return stored.Last + 1
}

func (c *checker) checkProducers() error {
	for p, err := range c.r.Producers() {
		if err != nil {
			return err
		}
		if _, ok := c.topics[p.ID.Topic]; !ok {
			c.problemf("%s: producer %d is left", c.name(p.ID), p.Entry.ID)
		}
		if p.Entry.Transaction >= 0 {
			if c.open[p.ID] == nil {
				c.open[p.ID] = make(map[int64]bool)
			}
			c.open[p.ID][p.Entry.ID] = true
		}
		for i, b := range p.Entry.Batches {
			if b.BaseOffset > b.LastOffset || i > 0 && b.BaseOffset <= p.Entry.Batches[i-1].LastOffset {
				c.problemf("%s: the batches of producer %d are out of order at %d", c.name(p.ID), p.Entry.ID, b.BaseOffset)
			}
		}
	}
	return nil
}

// checkTransactions compares the open transactions of the coordinator with those of the partitions.
func (c *checker) checkTransactions() error {
	for t, err := range c.r.Transactions() {
		if err != nil {
			return err
		}
		c.Transactions++
		if t.State != transaction.Ongoing && len(t.Partitions)+len(t.Groups) > 0 {
			c.problemf("transactional id %s: its transaction has ended, but has %d partitions and %d groups", t.ID, len(t.Partitions), len(t.Groups))
		}
		for _, id := range t.Partitions {
			delete(c.open[PartitionID(id)], t.Producer.ID)
		}
	}
	for id, producers := range c.open {
		for producer := range producers {
			c.problemf("%s: the transaction of producer %d is open, but no transactional id owns it", c.name(id), producer)
		}
	}
	return nil
}

func (c *checker) checkGroups() error {
	groups := make(map[string]bool)
	for g, err := range c.r.Groups() {
		if err != nil {
			return err
		}
		groups[g.Name] = true
	}
	for o, err := range c.r.Offsets() {
		if err != nil {
			return err
		}
		groups[o.Group] = true
		if t, ok := c.names[o.Topic]; !ok || o.Partition >= t.Partitions {
			c.problemf("group %s: an offset is committed for %s/%d, which does not exist", o.Group, o.Topic, o.Partition)
		}
	}
	for o, err := range c.r.Pending() {
		if err != nil {
			return err
		}
		groups[o.Group] = true
	}
	c.Groups = len(groups)
	return nil
}
