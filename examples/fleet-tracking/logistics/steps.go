package logistics

import (
	"fmt"
	"reflect"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

func countLegs(c *processor.Context[string, fleet.LegChange]) processor.Handler[string, fleet.Leg] {
	name := func(l fleet.Leg) string { return stopOf(l.Run, l.FromSequence) }
	return count(c, countedLegs.In(c), name, func(l fleet.Leg) fleet.Instant { return l.Arrived })
}

func countVisits(c *processor.Context[string, fleet.VisitChange]) processor.Handler[string, fleet.Visit] {
	name := func(v fleet.Visit) string { return stopOf(v.Run, v.Sequence) }
	return count(c, countedVisits.In(c), name, func(v fleet.Visit) fleet.Instant { return v.High })
}

func countDetours(c *processor.Context[string, fleet.DetourChange]) processor.Handler[string, fleet.Detour] {
	name := func(d fleet.Detour) string { return stopOf(d.Run, int(d.First)) }
	return count(c, countedDetours.In(c), name, func(d fleet.Detour) fleet.Instant { return d.Last })
}

// stopOf names a stop of a run, or what else has a number in it.
func stopOf(r fleet.Run, sequence int) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d", r.Vehicle, r.Trip, r.Day, r.Start, sequence)
}

// count emits each value as a change. If there was one of the same name, it takes that back first. It forgets values whose run has ended.
func count[V any](
	c *processor.Context[string, fleet.Change[V]], counted *state.KeyValue[string, V], name func(V) string, at func(V) fleet.Instant,
) processor.Handler[string, V] {
	c.Schedule(time.Hour, processor.StreamTime, func(now time.Time) error {
		since := fleet.InstantOf(now.Add(-runEnds))
		for row, err := range counted.All() {
			if err != nil {
				return err
			}
			if at(row.Value) >= since {
				continue
			}
			if err := counted.Delete(row.Key, int64(since)); err != nil {
				return err
			}
		}
		return nil
	})
	return func(r processor.Record[string, V]) error {
		if r.Tombstone {
			return nil
		}
		before, err := counted.Replace(name(r.Value), r.Value, r.Timestamp)
		if err != nil {
			return err
		}
		if before.Had {
			if err := c.Emit(r.Key, fleet.Change[V]{Value: before.Old, Undone: true}); err != nil {
				return err
			}
		}
		return c.Emit(r.Key, fleet.Change[V]{Value: r.Value})
	}
}

func sumUpLegs(c *processor.Context[fleet.LegKey, fleet.LegSummary]) processor.Handler[fleet.LegKey, fleet.LegChange] {
	return sumUp(c, legHours.In(c))
}

func sumUpVisits(c *processor.Context[fleet.StopKey, fleet.DwellSummary]) processor.Handler[fleet.StopKey, fleet.VisitChange] {
	return sumUp(c, stopHours.In(c))
}

// hour is what is kept of an hour: a change goes in and the next hour comes out.
type hour[H, V, S any] interface {
	Apply(fleet.Change[V]) H
	Summary() S
}

// sumUp emits the summary of an hour after each change.
func sumUp[K, V, S any, H hour[H, V, S]](c *processor.Context[K, S], hours *state.KeyValue[K, H]) processor.Handler[K, fleet.Change[V]] {
	return func(r processor.Record[K, fleet.Change[V]]) error {
		written, err := hours.Update(r.Key, r.Timestamp, func(before H, _ bool) H { return before.Apply(r.Value) })
		if err != nil {
			return err
		}
		return c.Emit(r.Key, written.New.Summary())
	}
}

func legKeyOf(c fleet.LegChange) fleet.LegKey     { return fleet.LegKeyOf(c.Value) }
func stopKeyOf(c fleet.VisitChange) fleet.StopKey { return fleet.StopKeyOf(c.Value) }
func stayed(c fleet.VisitChange) bool             { return c.Value.Stayed() }

// findRepeated emits the repeated detours of a line when they change.
func findRepeated(c *processor.Context[fleet.LineKey, fleet.RepeatedDetours]) processor.Handler[fleet.LineKey, fleet.DetourChange] {
	lines := lineDetours.In(c)
	return func(r processor.Record[fleet.LineKey, fleet.DetourChange]) error {
		add := func(before fleet.LineDetours, _ bool) fleet.LineDetours { return before.Apply(r.Value) }
		written, err := lines.Update(r.Key, r.Timestamp, add)
		if err != nil {
			return err
		}
		before, after := written.Old.Summary(), written.New.Summary()
		if reflect.DeepEqual(before.Detours, after.Detours) {
			return nil
		}
		return c.Emit(r.Key, after)
	}
}

func lineKeyOf(c fleet.DetourChange) fleet.LineKey { return fleet.LineKeyOf(c.Value) }

// skips reports whether the vehicle came back farther along its line.
func skips(c fleet.DetourChange) bool {
	_, _, ok := c.Value.Skipped()
	return ok
}
