package report

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// AddCorrectedTrip takes in the timetable of a trip as it is driven.
func (r *Report) AddCorrectedTrip(t fleet.CorrectedTrip) { put(&r.corrected, t.ID, t) }

// correctedRows are the corrected trips with the columns of a GTFS stop_times.txt, in whole minutes, and the times that are planned. A trip
// of which nothing is corrected is left out.
func (r *Report) correctedRows() [][]string {
	rows := [][]string{{
		"trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "planned_arrival_time", "planned_departure_time",
	}}
	for _, id := range sorted(r.corrected, cmp.Compare[string]) {
		trip := r.corrected[id]
		if trip.Corrected == 0 {
			continue
		}
		for _, s := range trip.Stops {
			rows = append(rows, []string{
				id, minutes(s.Due), minutes(s.Leaves), s.ID, strconv.Itoa(s.Sequence), clock(s.Planned[0]), clock(s.Planned[1]),
			})
		}
	}
	return rows
}

// minutes is a time of a service day as HH:MM:00, to the nearest minute.
func minutes(s fleet.Span) string { return clock(int((s + 30_000) / 60_000 * 60)) }

// clock is a second of a service day as HH:MM:SS; hours go beyond 24.
func clock(second int) string {
	return fmt.Sprintf("%02d:%02d:%02d", second/3600, second/60%60, second%60)
}
