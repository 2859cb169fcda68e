package logistics

import (
	"reflect"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
)

// schedules are the trips of the latest version of a timetable.
func schedules(t fleet.Timetable) []fleet.Schedule {
	if len(t.Versions) == 0 {
		return nil
	}
	var all []fleet.Schedule
	for _, s := range t.Versions[len(t.Versions)-1].Trips {
		all = append(all, *s)
	}
	return all
}

func pathOf(s fleet.Schedule) string { return s.Path }

// meeting is a schedule at its path, or the news that the path is there.
type meeting struct{ schedule *fleet.Schedule }

func scheduleMeets(s fleet.Schedule) meeting { return meeting{&s} }
func pathMeets(fleet.Path) meeting           { return meeting{} }

// meet gives schedules the stops of their path. A schedule that comes before its path waits for it. Nobody changes a path.
func (p plan) meet(c *processor.Context[string, fleet.PlannedTrip]) processor.Handler[string, meeting] {
	paths, waiting := p.paths.In(c), waitingSchedules.In(c)
	return func(r processor.Record[string, meeting]) error {
		if r.Tombstone {
			return nil
		}
		path, known, err := paths.Get(r.Key)
		if err != nil {
			return err
		}
		queue, _, err := waiting.Get(r.Key)
		if err != nil {
			return err
		}
		if r.Value.schedule != nil {
			queue = append(slices.Clip(queue), *r.Value.schedule)
		}
		if !known {
			return waiting.Put(r.Key, queue, r.Timestamp)
		}
		for _, s := range queue {
			if trip, ok := s.Planned(path); ok {
				if err := c.Emit(r.Key, trip); err != nil {
					return err
				}
			}
		}
		return waiting.Delete(r.Key, r.Timestamp)
	}
}

// legNews is the latest summary of a leg, or a trip that plans to drive it.
type legNews struct {
	summary *fleet.LegSummary
	part    fleet.Part
}

func newsOfLeg(s fleet.LegSummary) legNews { return legNews{summary: &s} }
func newsOfPart(p fleet.Part) legNews      { return legNews{part: p} }

func legKeyOfPart(p fleet.Part) fleet.LegKey { return p.LegKey }

// audience is who plans to drive a leg, and what they were told of it last.
type audience struct {
	Parts []fleet.Part `json:"trechos"`
	Told  fleet.Advice `json:"conselho"`
}

// advise tells the trips that plan to drive a leg when the advice for it changes, and a new one at once.
func advise(c *processor.Context[fleet.LegKey, fleet.Advised]) processor.Handler[fleet.LegKey, legNews] {
	all := audiences.In(c)
	return func(r processor.Record[fleet.LegKey, legNews]) error {
		before, _, err := all.Get(r.Key)
		if err != nil {
			return err
		}
		after, told := before, []fleet.Part{r.Value.part}
		if s := r.Value.summary; s != nil {
			if after.Told, told = s.Advice(), before.Parts; after.Told == before.Told {
				return nil
			}
		} else if !slices.Contains(before.Parts, r.Value.part) {
			after.Parts = append(slices.Clip(before.Parts), r.Value.part)
		}
		if err := all.Put(r.Key, after, r.Timestamp); err != nil {
			return err
		}
		if r.Value.summary == nil && after.Told == (fleet.Advice{}) {
			return nil
		}
		for _, part := range told {
			if err := c.Emit(r.Key, fleet.Advised{Part: part, Advice: after.Told}); err != nil {
				return err
			}
		}
		return nil
	}
}

// revision is a trip as it is planned now, or advice for one of its legs.
type revision struct {
	planned *fleet.PlannedTrip
	advised fleet.Advised
}

func revisionByPlan(t fleet.PlannedTrip) revision { return revision{planned: &t} }
func revisionByAdvice(a fleet.Advised) revision   { return revision{advised: a} }

func tripOf(t fleet.PlannedTrip) string    { return t.ID }
func tripOfAdvised(a fleet.Advised) string { return a.Trip }

// revise emits the corrected timetable of a trip when it changes. A trip of which nothing is corrected has none.
func revise(c *processor.Context[string, fleet.CorrectedTrip]) processor.Handler[string, revision] {
	all := corrections.In(c)
	return func(r processor.Record[string, revision]) error {
		before, _, err := all.Get(r.Key)
		if err != nil {
			return err
		}
		after := before
		if r.Value.planned != nil {
			after.Planned = *r.Value.planned
		} else {
			after = before.With(r.Value.advised)
		}
		if err := all.Put(r.Key, after, r.Timestamp); err != nil {
			return err
		}
		old, corrected := before.Trip(), after.Trip()
		if reflect.DeepEqual(old, corrected) || old.Corrected == 0 && corrected.Corrected == 0 {
			return nil
		}
		return c.Emit(r.Key, corrected)
	}
}
