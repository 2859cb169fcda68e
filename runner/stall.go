package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// observation is what the supervisor sees of a task from outside. It is replaced as a whole.
type observation struct {
	ends    map[kafka.TopicPartition]int64 // of the inputs, with what open transactions have written
	stalled string                         // why the task makes no progress; empty if it does, or has nothing to do
	kind    string                         // of the reason; see kindOf
}

// standing is since when a task has been at an offset of an input.
type standing struct {
	offset int64
	since  time.Duration // on the runner's clock
}

// endsInterval is how often the ends of the inputs are looked up. A fetch tells them too, but not those of a task that
// hangs, and nothing beyond an open transaction.
const endsInterval = 10 * time.Second

// observe looks for tasks that have something to process and make no progress.
func (s *supervisor) observe(ctx context.Context) {
	now := clock()
	if !s.looking && now-s.looked >= min(endsInterval, s.cfg.StallTimeout/2) {
		s.looked = now
		s.lookUpEnds(ctx)
	}
	for _, u := range s.units {
		t := u.describe()
		if t.State == Opening || t.State == Recovering || s.pausing.on.Load() {
			u.standing = nil
			u.observe(func(o *observation) { o.stalled = "" })
			continue
		}
		in, lasting := u.longestStanding(t, now)
		switch {
		case lasting < s.cfg.StallTimeout:
			u.observe(func(o *observation) { o.stalled = "" })
		case t.State == Processing:
			why := fmt.Sprintf("at offset %d of %d in %s/%d for %v", in.Committed, in.End, in.Topic, in.Partition, lasting.Round(time.Second))
			u.observe(func(o *observation) { o.stalled, o.kind = why, waitUnknown })
			s.findReason(ctx, u, why)
		}
	}
}

// longestStanding returns the input in which the task has been longest at the same offset although more is there.
func (u *unit) longestStanding(t TaskStatus, now time.Duration) (longest InputStatus, lasting time.Duration) {
	if u.standing == nil {
		u.standing = map[kafka.TopicPartition]standing{}
	}
	for _, in := range t.Inputs {
		tp := kafka.TopicPartition{Topic: in.Topic, Partition: in.Partition}
		before, ok := u.standing[tp]
		if !ok || before.offset != in.Committed || in.Lag() == 0 {
			u.standing[tp] = standing{in.Committed, now}
			continue
		}
		if now-before.since > lasting {
			longest, lasting = in, now-before.since
		}
	}
	return longest, lasting
}

// observe publishes a changed observation.
func (u *unit) observe(change func(*observation)) {
	var o observation
	if seen := u.seen.Load(); seen != nil {
		o = *seen
	}
	before := o.stalled
	change(&o)
	u.seen.Store(&o)
	if o.stalled != before {
		u.status.changed()
	}
}

// findReason adds to what a stalled task says of itself why it is stalled: the handler that has not returned, or what keeps
// it from reading.
func (s *supervisor) findReason(ctx context.Context, u *unit, standing string) {
	if w := u.worker; w != nil {
		if lasting, _ := w.call.lasting(); lasting > s.cfg.StallTimeout/2 {
			if t := w.call.task.Load(); t != nil {
				hung := w.hungError(t)
				u.observe(func(o *observation) { o.stalled, o.kind = standing+": "+hung.Error(), waitHandler })
				return
			}
		}
	}
	go func() {
		reason := s.obstacle(ctx, u)
		s.inbox.post(func() {
			u.observe(func(o *observation) {
				if o.stalled == standing {
					o.stalled += ": " + reason.Error()
					o.kind = kindOf(reason)
				}
			})
		})
	}()
}

// lookUpEnds asks the cluster for the ends of all inputs, beside the supervisor.
func (s *supervisor) lookUpEnds(ctx context.Context) {
	var tps []kafka.TopicPartition
	for _, u := range s.units {
		tps = append(tps, u.inputs...)
	}
	if len(tps) == 0 {
		return
	}
	s.looking = true
	go func() {
		ctx, cancel := context.WithTimeout(ctx, endsInterval)
		defer cancel()
		ends, err := s.client.Offsets(ctx, tps, kafka.Latest)
		s.inbox.post(func() {
			s.looking = false
			if err != nil {
				s.log.Debug("look up the ends of the inputs", "error", err)
				return
			}
			for _, u := range s.units {
				u.observe(func(o *observation) {
					o.ends = map[kafka.TopicPartition]int64{}
					for _, tp := range u.inputs {
						o.ends[tp] = ends[tp]
					}
				})
			}
		})
	}()
}
