package engine

import (
	"time"

	"github.com/rio-streams/rio/broker/internal/store"
)

// retain deletes the oldest segments of a partition: those whose newest record is too old, and those that exceed the
// size limit. It keeps everything from the first open transaction on.
func (e *Engine) retain(p *partition, s *settings, now time.Time) {
	if !p.retentionIsDue(s, now) {
		return
	}
	segments, stored, err := e.segments(p)
	if err != nil {
		p.retained = now
		e.log.Error("broker: retention failed", "error", err)
		return
	}
	if stored.Next == p.Next { // otherwise the next sweep checks the records that are on their way to the disk
		p.retained = now
	}
	old := func(segment store.Segment) bool {
		return s.retention >= 0 && segment.MaxTimestamp >= 0 && now.UnixMilli()-segment.MaxTimestamp > s.retention.Milliseconds()
	}
	n := 0
	for ; n < len(segments)-1; n++ {
		rest := stored.Size - segments[n+1].Position
		isTooMuch := old(segments[n]) || s.retentionBytes >= 0 && rest >= s.retentionBytes
		if !isTooMuch || segments[n+1].Base > p.stable() {
			break
		}
	}
	start := segments[n].Base
	isAll := stored.Next == p.Next && p.stable() == p.Next
	if n == len(segments)-1 && isAll && old(segments[n]) {
		start = stored.Next
	}
	if start > p.Start {
		p.truncate(e.open, start, start)
	}
}

// retentionIsDue is a quick check that most partitions need no retention.
func (p *partition) retentionIsDue(s *settings, now time.Time) bool {
	switch {
	case p.Start == p.Next, s.retention < 0 && s.retentionBytes < 0:
		return false
	case s.retentionBytes >= 0 && p.Size > s.retentionBytes:
		return now.Sub(p.retained) >= sweepInterval
	}
	return now.Sub(p.retained) >= min(time.Minute, max(sweepInterval, s.retention/8))
}
