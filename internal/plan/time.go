package plan

import "github.com/rio-streams/rio/state"

// Time is the time of an operator in one task: the greatest timestamp of the records that have reached it. Other steps
// can follow it, such as a step that emits windows once they have closed.
type Time struct {
	clock     *state.Clock
	followers []*Follower
}

// Follower is a step that acts whenever the time of an operator advances.
type Follower struct {
	time *Time
	done int64
	act  func(before, now int64) error
}

// Time returns the time of operator n in this task.
func (l *Linker) Time(n *Node) *Time {
	t := l.times[n]
	if t == nil {
		t = &Time{clock: l.Host.Clock(n.Clock)}
		l.times[n] = t
	}
	return t
}

// Now returns the time, in ms since 1970; it is negative before the first record.
func (t *Time) Now() int64 { return t.clock.Now() }

// Follow lets a step act when the time advances from one time to another, before the record that brings the time is
// processed. Followers act in the order of these calls.
func (t *Time) Follow(act func(before, now int64) error) *Follower {
	f := &Follower{time: t, done: t.Now(), act: act}
	t.followers = append(t.followers, f)
	return f
}

// Advance moves the time forward to a record's timestamp, lets the followers act, and returns the time.
func (t *Time) Advance(timestamp int64) (now int64, err error) {
	before := t.clock.Now()
	now = t.clock.Advance(timestamp)
	if now == before || len(t.followers) == 0 {
		return now, nil
	}
	for _, f := range t.followers {
		f.done = before // it may have acted for a record that was then rolled back
	}
	for _, f := range t.followers {
		if err := f.act(before, now); err != nil {
			return now, err
		}
		f.done = now
	}
	return now, nil
}

// Done returns the time up to which the step has acted.
func (f *Follower) Done() int64 { return min(f.done, f.time.Now()) }
