package report

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
)

// Drivers is the file of drivers' figures.
const Drivers = "drivers.csv"

// AddDay takes in how a driver drove on a day, or how a vehicle without a known driver was driven.
func (r *Report) AddDay(d conduct.Day) { put(&r.days, d.Sheet, d) }

// DriverDays sums up the days in words: how many there are, and the scores.
func (r *Report) DriverDays() string {
	var scores []float64
	ofDrivers := 0
	for sheet, day := range r.days {
		if sheet.Driver != "" {
			ofDrivers++
		}
		if day.Score != nil {
			scores = append(scores, *day.Score)
		}
	}
	text := fmt.Sprintf("%d days of drivers, %d of vehicles without a driver, %d of them with a score", ofDrivers, len(r.days)-ofDrivers, len(scores))
	if len(scores) > 0 {
		slices.Sort(scores)
		text += fmt.Sprintf(", the median %.1f", scores[len(scores)/2])
	}
	return text
}

// dayRows has the days of drivers. The first column names a vehicle, or "driver:" and the driver. What cannot be computed is empty, except
// harsh driving and punctuality, which count what there is.
func (r *Report) dayRows() [][]string {
	rows := [][]string{{
		"vehicle", "local_day", "fixes", "pairs", "pairs_left_out", "distance_m", "time_s", "moving_s", "standing_s", "speed_mps",
		"derived_max_mps", "reported_max_mps", "overspeed_reported_episodes", "overspeed_reported_fixes", "moving_reported_fixes",
		"overspeed_derived_episodes", "overspeed_derived_s", "long_stands", "long_stand_s", "idle_s", "ignition_known_standing_s",
		"pairs_up_to_2s", "harsh_acceleration", "harsh_braking", "speed_change_max_mps2", "speed_change_min_mps2",
		"runs", "detours", "timepoints", "on_time", "early", "late", "score_weight", "score",
	}}
	for _, sheet := range sorted(r.days, conduct.Sheet.Compare) {
		rows = append(rows, dayRow(r.days[sheet]))
	}
	return rows
}

func dayRow(d conduct.Day) []string {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	speed, moved := d.MeanSpeed()
	limited, short := d.Limited > 0, d.Short > 0
	return []string{
		d.Name(), d.Sheet.Day, count(d.Fixes), count(d.Pairs), count(d.LeftOut), number(d.Distance.Metres()), number(d.Time.Seconds()),
		number(d.Moving.Seconds()), number(d.Standing().Seconds()), only(moved, speed),
		number(d.TopSpeed), number(d.TopReported),
		only(limited, float64(d.OverEpisodes)), only(limited, float64(d.OverFixes)), count(d.MovingFixes),
		only(limited, float64(d.OverSpans)), only(limited, d.OverTime.Seconds()), count(d.Stands), number(d.StandTime.Seconds()),
		only(d.KnowsIdling(), d.Idle.Seconds()), number(d.WithIgnition.Seconds()),
		count(d.Short), only(short, float64(d.Accelerations)), only(short, float64(d.Brakings)), number(d.Acceleration), number(d.Braking),
		strconv.Itoa(d.Runs), strconv.Itoa(d.Detours), strconv.Itoa(d.Timepoints), strconv.Itoa(d.OnTime), strconv.Itoa(d.Early),
		strconv.Itoa(d.Late), strconv.Itoa(d.Weight), optional(d.Score),
	}
}
