package tracking

import (
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
)

// expect returns a function that adds a forecast to what a fix tells of the stops of its run. Runs of one path meet in one task, so each
// of them is told what the others have shown by then.
func expect(c *processor.Context[string, fleet.Stops]) func(fleet.Stops) (fleet.Stops, error) {
	runs, paths := told.In(c), histories.In(c)
	c.Schedule(time.Hour, processor.StreamTime, func(now time.Time) error {
		if err := forget(runs, fleet.InstantOf(now.Add(-runEnds))); err != nil {
			return err
		}
		return forget(paths, fleet.InstantOf(now.Add(-fleet.HistoryKept)))
	})
	return func(stops fleet.Stops) (fleet.Stops, error) {
		outlook := stops.Forecast
		if outlook.Path == "" { // the fix came too late to tell anything
			return stops, nil
		}
		run, at := outlook.Run.Key(), int64(outlook.Instant)
		before, _, err := runs.Get(run)
		if err != nil {
			return stops, err
		}
		past, _, err := paths.Get(outlook.Path)
		if err != nil {
			return stops, err
		}
		after, learned, forecast := before.Hear(stops, past)
		stops.Forecast = forecast
		if err := runs.Put(run, after, at); err != nil {
			return stops, err
		}
		if len(stops.Legs)+len(stops.Visits) == 0 { // there was nothing to learn
			return stops, nil
		}
		return stops, paths.Put(outlook.Path, learned, at)
	}
}
