package kafka

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// dispatch sends all requests that can be sent now. It is called after every change: a partition was added or resumed,
// an answer was polled, a leader was found, a pause is over. It starts goroutines for everything that blocks. The
// caller holds mu.
func (f *Fetcher) dispatch() {
	if f.ctx.Err() != nil {
		return
	}
	byLeader := make(map[string][]*fetcherPartition)
	look := false
	for _, part := range f.parts {
		switch {
		case part.paused || part.busy || part.waiting || part.parked != nil:
		case !f.setLeader(part):
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
		f.work.Go(f.lookUpLeaders)
	}
}

// setLeader sets the leader of part from the cached metadata and reports whether it is known.
func (f *Fetcher) setLeader(part *fetcherPartition) bool {
	if part.addr == "" {
		part.addr, part.epoch, _ = f.c.knownLeader(part.tp)
	}
	return part.addr != ""
}

// lookUpLeaders looks up the leaders of the partitions without a known leader.
func (f *Fetcher) lookUpLeaders() {
	f.mu.Lock()
	parts := make(map[TopicPartition]*fetcherPartition)
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

// request fetches parts from the broker at addr, over the free lane. The caller holds mu.
func (f *Fetcher) request(addr string, parts []*fetcherPartition) {
	key := laneKey{addr: addr}
	if f.lane(key).busy {
		key.quick = 1
		parts = filter(parts, func(p *fetcherPartition) bool { return p.fresh })
	}
	l := f.lane(key)
	if l.busy || len(parts) == 0 {
		return
	}
	if parts[0].alone {
		parts = parts[:1]
	} else {
		parts = filter(parts, func(p *fetcherPartition) bool { return !p.alone })
	}
	req := &sarama.FetchRequest{
		Version:      11,
		MaxWaitTime:  int32(f.cfg.MaxWait / time.Millisecond),
		MinBytes:     int32(f.cfg.MinBytes),
		MaxBytes:     int32(f.cfg.MaxBytes),
		Isolation:    sarama.ReadCommitted,
		SessionEpoch: -1, // no fetch session
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

func filter(parts []*fetcherPartition, keep func(*fetcherPartition) bool) []*fetcherPartition {
	var kept []*fetcherPartition
	for _, part := range parts {
		if keep(part) {
			kept = append(kept, part)
		}
	}
	return kept
}

// exchange sends a request and handles the answer. It decodes records without holding mu.
func (f *Fetcher) exchange(key laneKey, req *sarama.FetchRequest, parts []*fetcherPartition) {
	offsets := make([]int64, len(parts)) // they do not change while the partition is busy
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
			part.alone = true // fetch each partition alone, to find the corrupt one
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

// accept advances part to the position after d and reports whether Poll should return d. The caller holds mu.
func (f *Fetcher) accept(part *fetcherPartition, d *decoded, quick bool) bool {
	advanced := d.Next > part.offset
	part.attempts = 0
	part.alone = false
	part.fresh = quick && advanced // there may be more, while the other lane may be waiting for data
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

// firstMaxBytes is the size of the first fetch, when it is not yet known how much decompression expands the records.
const firstMaxBytes = 16 << 10

// nextMaxBytes returns the size of the next fetch, in bytes, so that its answer decompresses to about limit bytes. The
// last fetch requested asked bytes, and its answer decompressed to size bytes.
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

// failed either schedules a retry for part after err, or reports err through Poll and stops fetching it. The caller
// holds mu.
func (f *Fetcher) failed(part *fetcherPartition, err error) {
	if f.parts[part.tp] != part {
		return
	}
	if part.attempts == 0 {
		part.since = time.Now()
	}
	retryTimeout := time.Duration(0)
	switch {
	case retriable(err):
		retryTimeout = f.c.cfg.RetryTimeout
	case errors.Is(err, ErrUnknownTopic):
		retryTimeout = min(unknownTopicTimeout, f.c.cfg.RetryTimeout)
	}
	if time.Since(part.since) >= retryTimeout {
		part.waiting = true // for good: only Add resets it
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
