package recording_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// stopTimes are the visits and legs of a recording, the last of each stop, computed fix by fix in order of arrival.
type stopTimes struct {
	visits map[callOfRun]fleet.Visit
	legs   map[callOfRun]fleet.Leg       // by the stop where they begin
	fixes  map[fleet.Run][]fleet.Instant // that a run was given, in order
}

// callOfRun is a stop of a run, by its sequence.
type callOfRun struct {
	fleet.Run
	sequence int
}

func followStops(t *testing.T, positions []fleet.Position, plan fleet.Plan) stopTimes {
	t.Helper()
	vehicles := map[string]fleet.Handover{}
	runs := map[string]fleet.VisitTracker{}
	times := stopTimes{map[callOfRun]fleet.Visit{}, map[callOfRun]fleet.Leg{}, map[fleet.Run][]fleet.Instant{}}
	for _, fix := range fixes(positions) {
		var handed []fleet.RunFix
		vehicles[fix.Vehicle], handed = vehicles[fix.Vehicle].Add(fix)
		for _, h := range handed {
			planned := plan.On(h)
			if !planned.Known() {
				continue
			}
			run, told, err := runs[planned.Key()].Add(planned)
			if err != nil {
				t.Fatal(err)
			}
			runs[planned.Key()] = run
			times.note(planned, told)
		}
	}
	return times
}

func (s stopTimes) note(planned fleet.Planned, told fleet.Stops) {
	if planned.Before != nil {
		s.fixes[planned.Named()] = append(s.fixes[planned.Named()], planned.Before.Instant)
	}
	s.fixes[planned.Named()] = append(s.fixes[planned.Named()], planned.Instant)
	for _, v := range told.Visits {
		s.visits[callOfRun{v.Run, v.Sequence}] = v
	}
	for _, l := range told.Legs {
		s.legs[callOfRun{l.Run, l.FromSequence}] = l
	}
}

// inOrder are the visits in the order of runs and stops.
func (s stopTimes) inOrder() []fleet.Visit {
	return slices.SortedFunc(maps.Values(s.visits), func(a, b fleet.Visit) int {
		return cmp.Or(
			cmp.Compare(a.Vehicle, b.Vehicle), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Start, b.Start),
			cmp.Compare(a.Trip, b.Trip), cmp.Compare(a.Sequence, b.Sequence),
		)
	})
}

// callOf is the stop that a row of the reference is about.
func callOf(t *testing.T, r reporttest.Row, sequence string) string {
	t.Helper()
	return fmt.Sprintf("%s %s %s %v", r["vehicle"], r["trip"], r["service_day"], r.Number(t, sequence))
}

func (c callOfRun) String() string {
	return fmt.Sprintf("%s %s %s %d", c.Vehicle, c.Trip, c.Day, c.sequence)
}

func byName[V any](values map[callOfRun]V) map[string]V {
	named := map[string]V{}
	for c, v := range values {
		named[c.String()] = v
	}
	return named
}

// An independent program placed the fixes of the whole recording at once. Ours, which never looks ahead, must come to the same.
func TestKingstonStops(t *testing.T) {
	_, positions, plan := kingston(t)
	reference := recordingtest.Dir(t, "reference")
	got := followStops(t, positions, plan)

	visits := byName(got.visits)
	var arrivals, ours, same, departures, sameDepartures float64
	for _, r := range reporttest.Rows(t, filepath.Join(reference, "kingston_positions_20260116_arrivals.csv")) {
		v := visits[callOf(t, r, "stop_sequence")]
		if r["departure"] != "" {
			departures++
			if math.Abs(v.Left.Unix()-r.Number(t, "departure")) <= 1 {
				sameDepartures++
			}
		}
		if r["arrival"] == "" {
			continue
		}
		want := r.Number(t, "arrival")
		arrivals++
		if v.Arrived == 0 {
			t.Logf("not reported: %v", r)
			continue
		}
		ours++
		if off := v.Arrived.Unix() - want; math.Abs(off) <= 1 {
			same++
		} else {
			t.Logf("%s %s %+.1f s from the reference", callOf(t, r, "stop_sequence"), v.How, off)
		}
	}
	within(t, "share of arrivals reported", ours/arrivals, 0.98, 1)
	within(t, "share within 1 s", same/ours, 0.98, 1)
	within(t, "share of departures within 1 s", sameDepartures/departures, 0.98, 1)

	var lastRun fleet.Run
	var before fleet.Instant
	for _, v := range got.inOrder() {
		if v.Run != lastRun {
			lastRun, before = v.Run, 0
		}
		if v.Arrived == 0 {
			continue
		}
		if v.Arrived < before || v.Arrived < v.Low || v.Arrived > v.High || v.Left != 0 && v.Left < v.Arrived {
			t.Errorf("visit %+v is out of order", v)
		}
		if first := v.Sequence == 1; !first && v.Due.Since(v.Arrived) > 900 {
			t.Errorf("visit %+v is %.0f s early", v, v.Due.Since(v.Arrived))
		}
		before = v.Arrived
	}
}

func TestKingstonLegs(t *testing.T) {
	_, positions, plan := kingston(t)
	reference := recordingtest.Dir(t, "reference")
	got := byName(followStops(t, positions, plan).legs)

	rows := reporttest.Rows(t, filepath.Join(reference, "kingston_positions_20260116_legs.csv"))
	within(t, "legs", float64(len(got)), float64(len(rows)), float64(len(rows)))
	var want, ours struct{ planned, driven, plannedMetres, drivenMetres float64 }
	for _, r := range rows {
		l, ok := got[callOf(t, r, "from_sequence")]
		if !ok || l.DrivenMetres == nil || strconv.Itoa(l.Hour) != r["hour"] {
			t.Errorf("leg %v is %+v", r, l)
			continue
		}
		want.planned += r.Number(t, "planned_s")
		want.driven += r.Number(t, "driven_s")
		want.plannedMetres += r.Number(t, "planned_m")
		want.drivenMetres += r.Number(t, "driven_m")
		ours.planned += l.Planned
		ours.driven += l.Driven
		ours.plannedMetres += l.PlannedMetres
		ours.drivenMetres += *l.DrivenMetres
	}
	within(t, "planned time", ours.planned/want.planned, 1, 1)
	within(t, "planned distance", ours.plannedMetres/want.plannedMetres, 0.9999, 1.0001)
	within(t, "driven time", ours.driven/want.driven, 0.9999, 1.0001)
	within(t, "driven distance", ours.drivenMetres/want.drivenMetres, 0.9999, 1.0001)
}

// The agency measured when its buses reached their stops. Where it did so between two fixes of a run that are at most 150 s apart, ours must
// agree.
func TestKingstonStopsOfTheAgency(t *testing.T) {
	dir, positions, plan := kingston(t)
	var withoutSpeed []fleet.Position
	for _, p := range positions {
		p.Speed = nil
		withoutSpeed = append(withoutSpeed, p)
	}
	t.Run("with reported speeds", func(t *testing.T) { compareAgency(t, dir, followStops(t, positions, plan)) })
	t.Run("without", func(t *testing.T) { compareAgency(t, dir, followStops(t, withoutSpeed, plan)) })
}

func compareAgency(t *testing.T, dir string, got stopTimes) {
	type stop struct {
		trip, day string
		sequence  int
	}
	visits, runs := map[stop]fleet.Visit{}, map[stop]fleet.Run{}
	for c, v := range got.visits {
		visits[stop{c.Trip, c.Day, c.sequence}] = v
	}
	for run := range got.fixes {
		runs[stop{run.Trip, run.Day, 0}] = run
	}
	var inside, reported float64
	var apart []float64
	for _, r := range reporttest.Rows(t, filepath.Join(dir, "agency_stop_arrivals.csv")) {
		s := stop{r["trip_id"], r["trip_start_date"], int(r.Number(t, "stop_sequence"))}
		if r["observed"] != "1" {
			continue
		}
		measured := fleet.Seconds(int64(r.Number(t, "arrival_time")))
		if !between(measured, got.fixes[runs[stop{s.trip, s.day, 0}]]) {
			continue
		}
		inside++
		v := visits[s]
		if v.Arrived == 0 {
			t.Logf("not reported: %v, for us %q", s, cmp.Or(v.How, "not reached"))
			continue
		}
		reported++
		off := v.Arrived.Since(measured)
		apart = append(apart, math.Abs(off))
		if math.Abs(off) > 60 {
			t.Logf("%v by %s %+.0f s from the agency", s, v.How, off)
		}
	}
	slices.Sort(apart)
	within(t, "measured inside the fixes", inside, 1000, 1096)
	within(t, "share reported", reported/inside, 0.97, 1)
	within(t, "median difference", quantile(apart, 0.5), 0, 9)
	within(t, "share within 30 s", 1-float64(beyond(apart, 30))/reported, 0.94, 1)
	within(t, "share within 60 s", 1-float64(beyond(apart, 60))/reported, 0.99, 1)
}

// between reports whether a moment lies between two fixes in a row that are at most 150 s apart.
func between(at fleet.Instant, fixes []fleet.Instant) bool {
	for i := 1; i < len(fixes); i++ {
		if fixes[i-1] <= at && at <= fixes[i] && fixes[i].Since(fixes[i-1]) <= 150 {
			return true
		}
	}
	return false
}

// A run that comes into the zone of its last stop has arrived there.
func TestKingstonLastStops(t *testing.T) {
	_, positions, plan := kingston(t)
	reference := recordingtest.Dir(t, "reference")
	got := followStops(t, positions, plan)
	arrived := map[string]bool{}
	for _, v := range got.visits {
		if v.Last && v.Arrived != 0 {
			arrived[v.Vehicle+" "+v.Trip+" "+v.Day] = true
		}
	}
	var runs, reported float64
	for _, r := range reporttest.Rows(t, filepath.Join(reference, "kingston_positions_20260116_last_stops.csv")) {
		runs++
		if arrived[r["vehicle"]+" "+r["trip"]+" "+r["service_day"]] {
			reported++
		}
	}
	within(t, "share of last stops reported", reported/runs, 0.95, 1)
}
