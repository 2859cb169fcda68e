package kafka

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// dispatch sends what can be sent. It is called whenever something has changed: a partition was added or resumed, an
// answer was polled, a leader was found, a pause is over. It starts goroutines for whatever takes time. The caller
// holds mu.
func (f *Fetcher) dispatch() {
	if f.ctx.Err() != nil {
		return
	}
	byLeader := make(map[string][]*inPartition)
	look := false
	for _, part := range f.parts {
		switch {
		case part.paused || part.busy || part.waiting || part.parked != nil:
		case !f.lead(part):
			look = true
		default:
			byLeader[part.addr] = append(byLeader[part.addr], part)
		}
	}
	for addr, parts := range byLeader {
		f.request(addr, parts)
	}
	if look && !f.looking {
		f.looking = true
		f.work.Go(f.look)
	}
}

// lead notes the leader of part, if it is known without asking.
func (f *Fetcher) lead(part *inPartition) bool {
	if part.addr == "" {
		part.addr, part.epoch, _ = f.c.knownLeader(part.tp)
	}
	return part.addr != ""
}

// look looks up the leaders of the partitions whose leader is unknown.
func (f *Fetcher) look() {
	f.mu.Lock()
	parts := make(map[TopicPartition]*inPartition)
	for tp, part := range f.parts {
		if part.addr == "" && !part.waiting {
			parts[tp] = part
		}
	}
	f.mu.Unlock()
	errs := f.c.lookUp(f.ctx, slices.Collect(maps.Keys(parts)))

	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, err := range errs {
		f.failed(parts[tp], err)
	}
	f.looking = false
	f.dispatch()
}

// request asks the broker at addr for parts, over the lane that is free. The caller holds mu.
func (f *Fetcher) request(addr string, parts []*inPartition) {
	key := laneKey{addr: addr}
	if f.lane(key).busy {
		key.quick = 1
		parts = filter(parts, func(p *inPartition) bool { return p.fresh })
	}
	l := f.lane(key)
	if l.busy || len(parts) == 0 {
		return
	}
	if parts[0].alone {
		parts = parts[:1]
	} else {
		parts = filter(parts, func(p *inPartition) bool { return !p.alone })
	}
	req := &sarama.FetchRequest{
		Version:      11,
		MaxWaitTime:  int32(f.cfg.MaxWait / time.Millisecond),
		MinBytes:     int32(f.cfg.MinBytes),
		MaxBytes:     int32(f.cfg.MaxBytes),
		Isolation:    sarama.ReadCommitted,
		SessionEpoch: -1, // no session
	}
	if f.cfg.ReadUncommitted {
		req.Isolation = sarama.ReadUncommitted
	}
	for _, part := range parts {
		if part.fresh {
			req.MaxWaitTime = 0
		}
		part.busy = true
		req.AddBlock(part.tp.Topic, part.tp.Partition, part.offset, int32(part.maxBytes), part.epoch)
	}
	l.busy = true
	f.work.Go(func() { f.exchange(key, req, parts) })
}

func (f *Fetcher) lane(key laneKey) *lane {
	l := f.lanes[key]
	if l == nil {
		l = new(lane)
		f.lanes[key] = l
	}
	return l
}

func filter(parts []*inPartition, keep func(*inPartition) bool) []*inPartition {
	var kept []*inPartition
	for _, part := range parts {
		if keep(part) {
			kept = append(kept, part)
		}
	}
	return kept
}

// exchange sends a request and takes the answer. The records are decoded without holding mu.
func (f *Fetcher) exchange(key laneKey, req *sarama.FetchRequest, parts []*inPartition) {
	offsets := make([]int64, len(parts)) // nothing changes them while the partition is busy
	for i, part := range parts {
		offsets[i] = part.offset
	}
	res, err := ask(f.ctx, f.pool[key.quick].get(key.addr), (*sarama.Broker).Fetch, req)
	if err == nil {
		err = codeError(sarama.KError(res.ErrorCode))
	}
	decoded := make([]decoded, len(parts))
	if err == nil {
		for i, part := range parts {
			decoded[i] = decode(res.GetBlock(part.tp.Topic, part.tp.Partition), part.tp, offsets[i], !f.cfg.ReadUncommitted)
		}
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lane(key)
	a := &answer{lane: l}
	for i, part := range parts {
		part.busy = false
		switch {
		case f.parts[part.tp] != part:
		case errors.Is(err, ErrCorrupt) && len(parts) > 1:
			part.alone = true // ask for each by itself, to see which it is
		case err != nil:
			f.failed(part, err)
		case decoded[i].Err != nil:
			f.failed(part, decoded[i].Err)
		case f.accept(part, &decoded[i], key.quick == 1):
			a.fetched = append(a.fetched, partFetched{part, decoded[i].Fetched})
		}
	}
	if len(a.fetched) > 0 {
		f.deliver(a)
		return // the lane stays busy until Poll has taken the answer
	}
	l.busy = false
	f.dispatch()
}

// accept moves part to the position after d and reports whether d is worth telling. The caller holds mu.
func (f *Fetcher) accept(part *inPartition, d *decoded, quick bool) bool {
	advanced := d.Next > part.offset
	part.attempts = 0
	part.alone = false
	part.fresh = quick && advanced // there may be more, and the other lane may be waiting
	part.offset = d.Next
	if d.partial && !advanced {
		part.maxBytes = min(2*part.maxBytes, 1<<30) // the batch does not fit
		part.fresh = true
		return false
	}
	if advanced || d.Next < d.LastStable {
		part.maxBytes = nextMaxBytes(part.maxBytes, d.Bytes, f.cfg.PartitionMaxBytes)
	}
	end := d.LastStable
	if f.cfg.ReadUncommitted {
		end = d.HighWatermark
	}
	atEnd := d.Next >= end && part.end != d.Next
	if atEnd {
		part.end = d.Next
	}
	return advanced || atEnd
}

// firstMaxBytes is how much is asked for at first, when it is not known how much the records grow by decompression.
const firstMaxBytes = 16 << 10

// nextMaxBytes returns how much to ask for after an answer that was asked to be at most asked bytes and has size bytes
// without compression, so that the next has about limit.
func nextMaxBytes(asked, size, limit int) int {
	const least = 1 << 10
	switch {
	case size > 2*limit:
		asked = int(int64(asked) * int64(limit) / int64(size))
	case size <= limit:
		asked *= 2
	}
	return min(max(asked, least), limit)
}

// failed decides whether to ask again for part after err, or to give it up and say so. The caller holds mu.
func (f *Fetcher) failed(part *inPartition, err error) {
	if f.parts[part.tp] != part {
		return
	}
	if part.attempts == 0 {
		part.since = time.Now()
	}
	patience := time.Duration(0)
	switch {
	case retriable(err):
		patience = f.c.cfg.RetryTimeout
	case errors.Is(err, ErrUnknownTopic):
		patience = min(topicPatience, f.c.cfg.RetryTimeout)
	}
	if time.Since(part.since) >= patience {
		part.waiting = true // for good: only Add makes it anew
		f.deliver(&answer{fetched: []partFetched{{part, Fetched{
			Topic: part.tp.Topic, Partition: part.tp.Partition, From: part.offset, Next: part.offset,
			HighWatermark: -1, LastStable: -1, LogStart: -1,
			Err: fmt.Errorf("kafka: fetch %v at %d: %w", part.tp, part.offset, err),
		}}}})
		return
	}
	f.c.forgetLeader(part.tp)
	part.addr = ""
	part.waiting = true
	part.fresh = true
	time.AfterFunc(backoff(part.attempts), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		part.waiting = false
		f.dispatch()
	})
	part.attempts++
}
