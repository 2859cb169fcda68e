package tracking

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// judge says of each row whether it is a fix that comes for the first time, or else why it is left out.
func judge(c *processor.Context[string, fleet.Row]) processor.Handler[string, fleet.Position] {
	sent := sentFixes.In(c)
	return func(r processor.Record[string, fleet.Position]) error {
		if r.Tombstone {
			return nil
		}
		row := fleet.Row{Sent: r.Value}
		row.Sent.Vehicle = r.Key // empty without a key: a vehicle that is spread over all partitions cannot be followed
		if row.LeftOut = row.Sent.Fault(); row.IsFix() {
			before, _, err := sent.Get(row.Sent.Vehicle)
			if err != nil {
				return err
			}
			after, isNew := before.Add(row.Sent)
			if !isNew {
				row.LeftOut = fleet.Repeat
			} else if err := sent.Put(row.Sent.Vehicle, after, r.Timestamp); err != nil {
				return err
			}
		}
		return c.Emit(r.Key, row)
	}
}

// noticeLate marks the fixes whose window of speed from positions has closed. Windows close by the newest fix of any vehicle of the
// partition.
func noticeLate(c *processor.Context[string, fleet.Row]) processor.Handler[string, fleet.Row] {
	const ofAll = "todos"
	newest := newestFix.In(c)
	return func(r processor.Record[string, fleet.Row]) error {
		row := r.Value
		if row.IsFix() {
			latest, _, err := newest.Get(ofAll)
			if err != nil {
				return err
			}
			if at := row.Sent.Instant; at > latest {
				if err := newest.Put(ofAll, at, r.Timestamp); err != nil {
					return err
				}
			} else {
				row.Late = fleet.Closed(at, latest, grace)
			}
		}
		return c.Emit(r.Key, row)
	}
}

// measure emits what each fix adds to the motion of its vehicle. It keeps fixes for as long as one that comes late can change a
// window that is open.
func measure(c *processor.Context[string, fleet.Motion]) processor.Handler[string, fleet.Position] {
	latest, recent := latestFixes.In(c), recentFixes.In(c)
	return func(r processor.Record[string, fleet.Position]) error {
		fix := r.Value.Fix()
		var before, after *fleet.Fix
		last, known, err := latest.Get(r.Key)
		if err != nil {
			return err
		}
		if late := known && fix.Instant < last.Instant; late {
			if before, after, err = neighbours(recent, r.Key, fix.Instant); err != nil {
				return err
			}
		} else {
			if known {
				before = &last
			}
			if err := latest.Put(r.Key, fix, r.Timestamp); err != nil {
				return err
			}
		}
		if err := recent.Put(codec.WindowKey[string]{Key: r.Key, Start: fix.Instant.Time()}, fix, r.Timestamp); err != nil {
			return err
		}
		for _, share := range fleet.Shares(before, fix, after) {
			err := c.Forward(processor.Record[string, fleet.Motion]{Key: r.Key, Value: share.Motion, Timestamp: int64(share.At)})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// neighbours returns the fixes of a vehicle before and after an instant, nil where there is none that can make a pair.
func neighbours(recent *state.Window[string, fleet.Fix], vehicle string, at fleet.Instant) (before, after *fleet.Fix, err error) {
	from, to := at.Time().Add(-fleet.LongestPair), at.Time().Add(fleet.LongestPair)
	for row, err := range recent.Fetch(vehicle, from, to) {
		if err != nil {
			return nil, nil, err
		}
		if fix := row.Value; fix.Instant < at {
			before = &fix
		} else {
			return before, &fix, nil
		}
	}
	return before, nil, nil
}

// handOver tells each run of the fixes of its vehicle, and of those right before and after it.
func handOver(c *processor.Context[string, fleet.RunFix]) processor.Handler[string, fleet.Position] {
	vehicles := handovers.In(c)
	return func(r processor.Record[string, fleet.Position]) error {
		before, _, err := vehicles.Get(r.Value.Vehicle)
		if err != nil {
			return err
		}
		after, fixes := before.Add(r.Value)
		if err := vehicles.Put(r.Value.Vehicle, after, r.Timestamp); err != nil {
			return err
		}
		for _, fix := range fixes {
			if err := c.Emit(r.Key, fix); err != nil {
				return err
			}
		}
		return nil
	}
}

// follow keeps a tracker for each run and tells what every fix shows, by vehicle.
func follow(c *processor.Context[string, fleet.Observation]) processor.Handler[string, fleet.Planned] {
	return track(c, runs.In(c), fleet.Tracker.Add)
}

// visit keeps a tracker of its stops for each run and tells what every fix shows of them, and when the run is expected at those ahead, by
// vehicle.
func visit(c *processor.Context[string, fleet.Stops]) processor.Handler[string, fleet.Planned] {
	forecast := expect(c)
	planned := track(c, calls.In(c), func(run fleet.VisitTracker, fix fleet.Planned) (fleet.VisitTracker, fleet.Stops, error) {
		after, stops, err := run.Add(fix)
		if err != nil {
			return after, stops, err
		}
		stops, err = forecast(stops)
		return after, stops, err
	})
	return func(r processor.Record[string, fleet.Planned]) error {
		if !r.Value.Known() {
			return c.Emit(r.Value.Vehicle, r.Value.Unplanned())
		}
		return planned(r)
	}
}

// tracker is what is kept of a run.
type tracker interface{ LastFix() fleet.Instant }

// track adds each fix to the tracker of its run, and tells what add tells. It forgets runs that have ended.
func track[T tracker, Told any](
	c *processor.Context[string, Told], trackers *state.KeyValue[string, T], add func(T, fleet.Planned) (T, Told, error),
) processor.Handler[string, fleet.Planned] {
	c.Schedule(time.Hour, processor.StreamTime, func(now time.Time) error {
		return forget(trackers, fleet.InstantOf(now.Add(-runEnds)))
	})
	return func(r processor.Record[string, fleet.Planned]) error {
		run := r.Value.Key()
		before, _, err := trackers.Get(run)
		if err != nil {
			return err
		}
		after, told, err := add(before, r.Value)
		if err != nil {
			return err
		}
		if err := trackers.Put(run, after, r.Timestamp); err != nil {
			return err
		}
		return c.Emit(r.Value.Vehicle, told)
	}
}

// forget removes the runs that have had no fix since.
func forget[T tracker](trackers *state.KeyValue[string, T], since fleet.Instant) error {
	for row, err := range trackers.All() {
		if err != nil {
			return err
		}
		if row.Value.LastFix() >= since {
			continue
		}
		if err := trackers.Delete(row.Key, int64(since)); err != nil {
			return err
		}
	}
	return nil
}
