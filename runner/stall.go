package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// observation is what the supervisor knows of a task. It is immutable once published.
type observation struct {
	ends    map[kafka.TopicPartition]int64 // ends of the inputs, including open transactions
	stalled string                         // why the task makes no progress; empty if it is not stalled
	kind    string                         // the kind of this reason; see kindOf
}

// advance is the last observed change of an input's committed offset.
type advance struct {
	offset int64
	since  time.Duration // on the runner's clock
}

// endsInterval is how often the ends of the inputs are looked up. Fetch responses contain them too, but a hung task does
// not fetch, and they do not count records behind an open transaction.
const endsInterval = 10 * time.Second

// observe finds tasks that have unprocessed records and make no progress.
func (s *supervisor) observe(ctx context.Context) {
	now := clock()
	if !s.lookingUpEnds && now-s.lookedUpEnds >= min(endsInterval, s.cfg.StallTimeout/2) {
		s.lookedUpEnds = now
		s.lookUpEnds(ctx)
	}
	for _, a := range s.assignments {
		t := a.describe()
		if t.State == Opening || t.State == Recovering || s.pausing.on.Load() {
			a.lastAdvance = nil
			a.observe(func(o *observation) { o.stalled = "" })
			continue
		}
		in, elapsed := a.longestWithoutProgress(t, now)
		switch {
		case elapsed < s.cfg.StallTimeout:
			a.observe(func(o *observation) { o.stalled = "" })
		case t.State == Processing:
			why := fmt.Sprintf("at offset %d of %d in %s/%d for %v", in.Committed, in.End, in.Topic, in.Partition, elapsed.Round(time.Second))
			a.observe(func(o *observation) { o.stalled, o.kind = why, waitUnknown })
			s.findReason(ctx, a, why)
		}
	}
}

// longestWithoutProgress returns the input with unprocessed records whose committed offset has not changed for the longest
// time, and that time.
func (a *assignment) longestWithoutProgress(t TaskStatus, now time.Duration) (longest InputStatus, elapsed time.Duration) {
	if a.lastAdvance == nil {
		a.lastAdvance = map[kafka.TopicPartition]advance{}
	}
	for _, in := range t.Inputs {
		tp := kafka.TopicPartition{Topic: in.Topic, Partition: in.Partition}
		before, ok := a.lastAdvance[tp]
		if !ok || before.offset != in.Committed || in.Lag() == 0 {
			a.lastAdvance[tp] = advance{in.Committed, now}
			continue
		}
		if now-before.since > elapsed {
			longest, elapsed = in, now-before.since
		}
	}
	return longest, elapsed
}

// observe publishes a copy of the observation, changed by change.
func (a *assignment) observe(change func(*observation)) {
	var o observation
	if seen := a.seen.Load(); seen != nil {
		o = *seen
	}
	before := o.stalled
	change(&o)
	a.seen.Store(&o)
	if o.stalled != before {
		a.status.changed()
	}
}

// findReason adds to the observation why a task is stalled: a handler that has not returned, or an obstacle to reading.
func (s *supervisor) findReason(ctx context.Context, a *assignment, standing string) {
	if w := a.worker; w != nil {
		if elapsed, _ := w.call.elapsed(); elapsed > s.cfg.StallTimeout/2 {
			if t := w.call.task.Load(); t != nil {
				hung := w.hungError(t)
				a.observe(func(o *observation) { o.stalled, o.kind = standing+": "+hung.Error(), waitHandler })
				return
			}
		}
	}
	go func() {
		reason := s.obstacle(ctx, a)
		s.inbox.post(func() {
			a.observe(func(o *observation) {
				if o.stalled == standing {
					o.stalled += ": " + reason.Error()
					o.kind = kindOf(reason)
				}
			})
		})
	}()
}

// lookUpEnds looks up the ends of all inputs in the cluster, without blocking the supervisor.
func (s *supervisor) lookUpEnds(ctx context.Context) {
	var tps []kafka.TopicPartition
	for _, a := range s.assignments {
		tps = append(tps, a.inputs...)
	}
	if len(tps) == 0 {
		return
	}
	s.lookingUpEnds = true
	go func() {
		ctx, cancel := context.WithTimeout(ctx, endsInterval)
		defer cancel()
		ends, err := s.client.Offsets(ctx, tps, kafka.Latest)
		s.inbox.post(func() {
			s.lookingUpEnds = false
			if err != nil {
				s.log.Debug("failed to look up the ends of the inputs", "error", err)
				return
			}
			for _, a := range s.assignments {
				a.observe(func(o *observation) {
					o.ends = map[kafka.TopicPartition]int64{}
					for _, tp := range a.inputs {
						o.ends[tp] = ends[tp]
					}
				})
			}
		})
	}()
}
