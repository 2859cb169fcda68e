package report

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// callKey is a stop of a run.
type callKey struct {
	fleet.Run
	sequence int
}

func (k callKey) compare(other callKey) int {
	return cmp.Or(
		cmp.Compare(k.Vehicle, other.Vehicle), cmp.Compare(k.Trip, other.Trip), cmp.Compare(k.Day, other.Day),
		cmp.Compare(k.Start, other.Start), cmp.Compare(k.Route, other.Route), cmp.Compare(k.sequence, other.sequence),
	)
}

// AddVisit takes in a visit of a stop, by halt or radius.
func (r *Report) AddVisit(v fleet.Visit) {
	put(&r.visits, callKey{v.Run, v.Sequence}, v)
	r.measured = nil
}

// AddLeg takes in the way from a stop to the next.
func (r *Report) AddLeg(l fleet.Leg) {
	put(&r.legs, callKey{l.Run, l.FromSequence}, l)
	r.measured = nil
}

// fixKey is a fix of a vehicle.
type fixKey struct {
	vehicle string
	at      fleet.Instant
}

// AddUnused takes in a fix that tells nothing of the stops of a run.
func (r *Report) AddUnused(u fleet.Unused) { put(&r.unused, fixKey{u.Vehicle, u.Instant}, u.Reason) }

// Unused counts the fixes that tell nothing of the stops of a run, by the reason.
func (r *Report) Unused() map[fleet.Reason]int {
	count := map[fleet.Reason]int{}
	for _, reason := range r.unused {
		count[reason]++
	}
	return count
}

// Stops sums up in words what is known of stops, and how many fixes tell nothing of them, and why.
func (r *Report) Stops() string {
	arrivals := 0
	for _, v := range r.visits {
		if v.Arrived != 0 {
			arrivals++
		}
	}
	text := fmt.Sprintf("%d arrivals at stops by halt or radius, %d legs", arrivals, len(r.legs))
	unused, separator := r.Unused(), "; fixes without a place: "
	for _, reason := range fleet.UnusedReasons {
		if n := unused[reason]; n > 0 {
			text += fmt.Sprintf("%s%d %s", separator, n, reason)
			separator = ", "
		}
	}
	return text
}

// stopRows has the stops that a run saw, whether it could time them or not. What is not known is empty; so is the start time of a trip that
// runs once a day.
func (r *Report) stopRows() [][]string {
	rows := [][]string{{
		"vehicle", "trip", "service_day", "stop_sequence", "stop", "timepoint", "planned_arrival", "planned_departure",
		"how", "t_lo", "t_hi", "arrival", "departure", "arrival_delay_s", "departure_delay_s", "dwell_s", "last_stop",
		"start_time",
	}}
	for _, k := range sorted(r.visits, callKey.compare) {
		v := r.visits[k]
		if v.How == fleet.NotSeen {
			continue
		}
		arrived, left := v.Arrived != 0, v.Left != 0
		rows = append(rows, []string{
			v.Vehicle, v.Trip, v.Day, strconv.Itoa(v.Sequence), v.Stop, flag(v.Timepoint), number(v.Due.Unix()), number(v.Leaves.Unix()),
			string(v.How), only(v.Low != 0, v.Low.Unix()), number(v.High.Unix()),
			only(arrived, v.Arrived.Unix()), only(left, v.Left.Unix()),
			only(arrived && !v.Headway, v.Arrived.Since(v.Due)), only(left && !v.Headway, v.Left.Since(v.Leaves)),
			only(arrived && left, v.Left.Since(v.Arrived)), flag(v.Last), v.Start,
		})
	}
	return rows
}

// stopAccountRows counts the arrivals by what told them, and the stops without one by the reason. Without a timetable there is
// nothing to count.
func (r *Report) stopAccountRows() [][]string {
	if len(r.visits) == 0 {
		return nil
	}
	count := map[fleet.How]int{}
	arrivals := 0
	for _, v := range r.visits {
		count[v.How]++
		if v.Arrived != 0 {
			arrivals++
		}
	}
	rows := [][]string{{"arrivals", strconv.Itoa(arrivals)}}
	for _, how := range []fleet.How{fleet.ByHalt, fleet.ByPass, fleet.ByRadius} {
		rows = append(rows, []string{"arrivals_" + string(how), strconv.Itoa(count[how])})
	}
	for _, how := range []fleet.How{fleet.Gap, fleet.ThereAtFirstFix, fleet.NotSeen, fleet.ImplausiblyEarly} {
		rows = append(rows, []string{"not_timed_" + string(how), strconv.Itoa(count[how])})
	}
	return append(rows, []string{"legs", strconv.Itoa(len(r.legs))})
}

func (r *Report) legRows() [][]string {
	rows := [][]string{{
		"vehicle", "trip", "service_day", "from_sequence", "to_sequence", "from_stop", "to_stop", "hour",
		"planned_s", "driven_s", "planned_m", "driven_m", "dwell_before_s", "start_time",
	}}
	for _, k := range sorted(r.legs, callKey.compare) {
		l := r.legs[k]
		rows = append(rows, []string{
			l.Vehicle, l.Trip, l.Day, strconv.Itoa(l.FromSequence), strconv.Itoa(l.ToSequence), l.From, l.To, strconv.Itoa(l.Hour),
			number(l.Planned), number(l.Driven), number(l.PlannedMetres), optional(l.DrivenMetres), optional(l.Dwell), l.Start,
		})
	}
	return rows
}

// legHourRows sums up the legs between two stops by the local hour of the departure, as topic trechos-por-hora does.
func (r *Report) legHourRows() [][]string {
	hours := map[fleet.LegKey]fleet.LegHour{}
	for _, l := range r.legs {
		key := fleet.LegKeyOf(l)
		hours[key] = hours[key].Apply(fleet.LegChange{Value: l})
	}
	rows := [][]string{{
		"from_stop", "to_stop", "hour", "n", "planned_s_mean", "driven_s_mean", "driven_s_median", "lost_s_total",
		"planned_m_mean", "driven_m_mean", "driven_m_n",
	}}
	for _, k := range sorted(hours, fleet.LegKey.Compare) {
		s := hours[k].Summary()
		n, timed, measured := float64(s.Legs), float64(s.Timed), float64(s.Measured)
		rows = append(rows, []string{
			k.From, k.To, strconv.Itoa(k.Hour), strconv.Itoa(s.Legs), only(s.Timed > 0, thousandth(s.Planned.Seconds()/timed)), rounded(s.Driven.Seconds() / n),
			number(s.Median.Seconds()), only(s.Timed > 0, s.Lost.Seconds()), rounded(s.PlannedMetres.Metres() / n),
			only(s.Measured > 0, thousandth(s.Metres.Metres()/measured)), strconv.Itoa(s.Measured),
		})
	}
	return rows
}

// rounded is x to a thousandth, the resolution of the values that it is computed from.
func rounded(x float64) string { return number(thousandth(x)) }

func thousandth(x float64) float64 { return math.Round(x*1000) / 1000 }
