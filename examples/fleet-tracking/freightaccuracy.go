package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// compareFreight tells how well results agree with what happened on a simulated freight day.
func (a *app) compareFreight(ctx context.Context, results report.Report) error {
	records := map[string]fleet.DeliveryRecord{}
	r := newReader(a.client, "")
	read(r, tracking.DeliveryRecords, func(id string, record fleet.DeliveryRecord) { records[id] = record })
	if err := r.toEnd(ctx, kafka.Earliest); err != nil {
		return err
	}
	if f := newFreightAccuracy(results, a.input.plan.deliveries, records, a.input.drove); f.happened > 0 {
		fmt.Fprintln(a.stdout, f)
	}
	return nil
}

// freightAccuracy counts on what results and truth agree.
type freightAccuracy struct {
	happened, timed     int       // arrivals, and those of them that have a time
	apart               []float64 // seconds, sorted
	windows, sameWindow int       // timed ones whose early, in time or late is known, and is right
	right               int       // of them, deliveries of which came out what became of them
	failed, seenFailed  int
	detours, seenDetour int
	unseen              int // deliveries of vehicles whose clock is ahead
}

// newFreightAccuracy compares what was so by a minute before the latest visit: later, results may be on their way. Deliveries of a vehicle
// whose clock is ahead are left out, and so are detours of less than a minute, which two fixes may not show.
func newFreightAccuracy(
	results report.Report, deliveries map[string]fleet.Delivery, records map[string]fleet.DeliveryRecord, truth *simulation.FreightTruth,
) freightAccuracy {
	var f freightAccuracy
	visits, last := visitsOf(results, deliveries)
	until := last - fleet.Seconds(60)
	for _, call := range truth.Calls {
		if call.Unseen {
			f.unseen++
			continue
		}
		if call.Arrived == 0 || call.Left == 0 || call.Left > until {
			continue
		}
		known := fleet.Evidence{}
		if v, ok := visits[call.Delivery]; ok {
			known.Visit = &v
		}
		if record, ok := records[call.Delivery]; ok {
			known.Record = &record
		}
		f.add(call, known.Visit, deliveries[call.Delivery].Outcome(until, known))
	}
	f.addDetours(slices.Collect(results.Episodes()), truth, until)
	slices.Sort(f.apart)
	return f
}

// visitsOf are the visits by delivery, and the time of the latest.
func visitsOf(results report.Report, deliveries map[string]fleet.Delivery) (visits map[string]fleet.Visit, last fleet.Instant) {
	visits = map[string]fleet.Visit{}
	for v := range results.Visits() {
		if d, ok := deliveries[v.Stop]; ok && d.Trip == v.Trip {
			visits[v.Stop] = v
			last = max(last, v.Arrived, v.Left)
		}
	}
	return visits, last
}

func (f *freightAccuracy) add(call simulation.Call, visit *fleet.Visit, got fleet.Outcome) {
	f.happened++
	if visit != nil && visit.Arrived != 0 {
		f.timed++
		f.apart = append(f.apart, math.Abs(visit.Arrived.Since(call.Arrived)))
	}
	if got.Timed {
		f.windows++
		if off := call.Off(); (off < 0) == (got.Early > 0) && (off > 0) == (got.Late > 0) {
			f.sameWindow++
		}
	}
	same := false
	switch call.Outcome {
	case simulation.Delivered:
		same = got.State == fleet.Delivered || got.State == fleet.Attended
	case simulation.Visited:
		same = got.State == fleet.Visited
	case simulation.Failed:
		same = got.State == fleet.Failed && got.Reason == call.Reason
		f.failed++
		if same {
			f.seenFailed++
		}
	}
	if same {
		f.right++
	}
}

func (f *freightAccuracy) addDetours(episodes []report.OffRoute, truth *simulation.FreightTruth, until fleet.Instant) {
	for _, d := range truth.Detours {
		silent := slices.ContainsFunc(truth.Gaps, func(s simulation.Silence) bool { return s.Vehicle == d.Vehicle && s.From < d.To && s.To > d.From })
		if truth.Clock[d.Vehicle] || silent || min(d.To, until).Since(d.From) < 60 {
			continue
		}
		f.detours++
		same := func(e report.OffRoute) bool {
			return e.Vehicle == d.Vehicle && e.Trip == d.Trip && e.Day == d.Day && e.First <= d.To && e.Last >= d.From
		}
		if slices.ContainsFunc(episodes, same) {
			f.seenDetour++
		}
	}
}

// String is the comparison in words.
func (f freightAccuracy) String() string {
	text := fmt.Sprintf("Compared with what happened: %d of %d arrivals at customers have a time", f.timed, f.happened)
	if n := len(f.apart); n > 0 {
		text += fmt.Sprintf(", half of them within %.0f s, 95 %% within %.0f s", math.Ceil(f.apart[n/2]), math.Ceil(f.apart[n*95/100]))
	}
	text += fmt.Sprintf("; early, in time or late is right for %d of %d; what became of the delivery for %d of %d; %d of %d failed ones; %d of %d detours.",
		f.sameWindow, f.windows, f.right, f.happened, f.seenFailed, f.failed, f.seenDetour, f.detours)
	if f.unseen > 0 {
		text += fmt.Sprintf(" Left out: %d deliveries of a vehicle whose clock is ahead.", f.unseen)
	}
	return text
}
