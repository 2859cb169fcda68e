package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/customers"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// freightResults are what a freight day is compared by, besides what files have.
type freightResults struct {
	report.Report
	deliveries map[string]fleet.Delivery // as planned
	records    map[string]fleet.DeliveryRecord
	statuses   map[string]customers.Status // what customers know at the end
}

// compareFreight tells how well results agree with what happened on a simulated freight day.
func (a *app) compareFreight(ctx context.Context, results report.Report) error {
	all := freightResults{results, map[string]fleet.Delivery{}, map[string]fleet.DeliveryRecord{}, map[string]customers.Status{}}
	r := newReader(a.client, "")
	read(r, tracking.Deliveries, func(id string, delivery fleet.Delivery) { all.deliveries[id] = delivery })
	read(r, tracking.DeliveryRecords, func(id string, record fleet.DeliveryRecord) { all.records[id] = record })
	read(r, customers.Statuses, func(id string, status customers.Status) { all.statuses[id] = status })
	if err := r.toEnd(ctx, kafka.Earliest); err != nil {
		return err
	}
	if f := newFreightAccuracy(all, a.input.drove, a.input.last); f.happened > 0 {
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
	missed, seenMissed  int // deliveries to which nobody came
	detours, seenDetour int
	falseDetours        int // episodes that were no detour
	drivers             driversAccuracy
	clocks              clockAccuracy
}

// newFreightAccuracy compares what was so by a minute before the latest visit: later, results may be on their way. Deliveries of a vehicle
// whose clock is ahead are counted apart. Detours of less than a minute are left out, which two fixes may not show. The latest message arrived
// at last.
func newFreightAccuracy(results freightResults, truth *simulation.FreightTruth, last fleet.Instant) freightAccuracy {
	var f freightAccuracy
	visits, latest := results.visits()
	until := latest - fleet.Seconds(60)
	for _, call := range truth.Calls {
		status := results.statuses[call.Delivery]
		switch {
		case call.Unseen:
			f.clocks.addDelivery(call, status)
		case call.Outcome == simulation.Missed:
			f.addMissed(call, truth, status, last)
		case call.Left != 0 && call.Left <= until:
			known := fleet.Evidence{}
			if v, ok := visits[call.Delivery]; ok {
				known.Visit = &v
			}
			if record, ok := results.records[call.Delivery]; ok {
				known.Record = &record
			}
			f.add(call, known.Visit, results.deliveries[call.Delivery].Outcome(until, known))
		}
	}
	f.addDetours(slices.Collect(results.Episodes()), truth, until)
	slices.Sort(f.apart)
	days := map[conduct.Sheet]conduct.Day{}
	for d := range results.Days() {
		days[d.Sheet] = d
	}
	f.drivers = newDriversAccuracy(days, truth, last)
	f.clocks.addFixes(truth, results.Account())
	return f
}

// visits are those of deliveries, and the time of the latest.
func (r *freightResults) visits() (visits map[string]fleet.Visit, last fleet.Instant) {
	visits = map[string]fleet.Visit{}
	for v := range r.Visits() {
		if d, ok := r.deliveries[v.Stop]; ok && d.Trip == v.Trip {
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

// addMissed looks at a delivery to which nobody came, once that is settled: half an hour after the vehicle was at a later one, else four
// hours after the window. A parked vehicle sends a fix in five minutes, so that much later the customer must know.
func (f *freightAccuracy) addMissed(call simulation.Call, truth *simulation.FreightTruth, status customers.Status, last fleet.Instant) {
	settles := call.To + fleet.Seconds(4*3600)
	order := func(c simulation.Call) int {
		return slices.IndexFunc(truth.Calls, func(o simulation.Call) bool { return o.Delivery == c.Delivery })
	}
	for _, later := range truth.Calls[order(call):] { // those of a trip are in their order
		if later.Trip == call.Trip && later.Arrived != 0 {
			settles = min(settles, later.Arrived+fleet.Seconds(1800))
			break
		}
	}
	if last.Since(settles) < 600 {
		return
	}
	f.missed++
	if status.Phase == customers.Failed && (status.Reason == fleet.ReasonSkipped || status.Reason == fleet.ReasonTooLate) {
		f.seenMissed++
	}
}

func (f *freightAccuracy) addDetours(episodes []report.OffRoute, truth *simulation.FreightTruth, until fleet.Instant) {
	same := func(e report.OffRoute, d simulation.Detour) bool {
		return e.Vehicle == d.Vehicle && e.Trip == d.Trip && e.Day == d.Day && e.First <= d.To && e.Last >= d.From
	}
	for _, d := range truth.Detours {
		silent := slices.ContainsFunc(truth.Gaps, func(s simulation.Silence) bool { return s.Vehicle == d.Vehicle && s.From < d.To && s.To > d.From })
		if truth.Clock[d.Vehicle] || silent || min(d.To, until).Since(d.From) < 60 {
			continue
		}
		f.detours++
		if slices.ContainsFunc(episodes, func(e report.OffRoute) bool { return same(e, d) }) {
			f.seenDetour++
		}
	}
	for _, e := range episodes {
		if !slices.ContainsFunc(truth.Detours, func(d simulation.Detour) bool { return same(e, d) }) {
			f.falseDetours++
		}
	}
}

// clockAccuracy says what became of a vehicle whose clock is ahead.
type clockAccuracy struct {
	fixes, hidden, leftOut int // of it; see simulation.FreightTruth
	deliveries             int
	recorded, right        int // of them: the driver's record alone tells what became of them
}

func (c *clockAccuracy) addFixes(truth *simulation.FreightTruth, account fleet.Account) {
	c.fixes, c.hidden, c.leftOut = truth.Ahead, truth.Hidden, int(account.LeftOut[fleet.ClockAhead])
}

func (c *clockAccuracy) addDelivery(call simulation.Call, status customers.Status) {
	c.deliveries++
	if !call.Noted {
		return
	}
	c.recorded++
	want := customers.Served
	if call.Outcome == simulation.Failed {
		want = customers.Failed
	}
	if status.Phase == want && (want != customers.Failed || status.Reason == call.Reason) {
		c.right++
	}
}

// String is the comparison in words, a line for each kind.
func (f freightAccuracy) String() string {
	lines := []string{"Compared with what happened:"}
	line := func(format string, args ...any) { lines = append(lines, "  "+fmt.Sprintf(format, args...)) }
	within := ""
	if n := len(f.apart); n > 0 {
		within = fmt.Sprintf(", half of them within %.0f s, 95 %% within %.0f s", math.Ceil(f.apart[n/2]), math.Ceil(f.apart[n*95/100]))
	}
	line("%d of %d arrivals at customers have a time%s; early, in time or late is right for %d of %d.", f.timed, f.happened, within, f.sameWindow, f.windows)
	line("What became of the delivery is right for %d of %d, %d of %d failed ones, and %d of %d to which nobody came.",
		f.right, f.happened, f.seenFailed, f.failed, f.seenMissed, f.missed)
	line("%d of %d detours; %d episodes that were none.", f.seenDetour, f.detours, f.falseDetours)
	if f.drivers.days > 0 {
		line("%v", f.drivers)
	}
	if c := f.clocks; c.fixes > 0 {
		line("Clock ahead: %d of %d fixes left out; %d were held back for so long that they look right.", c.leftOut, c.fixes, c.hidden)
		line("Of the %d deliveries of that vehicle drivers recorded %d, and %d are right.", c.deliveries, c.recorded, c.right)
	}
	return strings.Join(lines, "\n")
}
