package report

import (
	"cmp"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// AddMotion takes in the speed from positions of a vehicle in the window that begins at start.
func (r *Report) AddMotion(vehicle string, start fleet.Instant, speed fleet.PositionSpeed) {
	put(&r.motions, windowKey{vehicle, start}, speed)
}

// AddAccount takes in the account of a vehicle's rows.
func (r *Report) AddAccount(vehicle string, account fleet.Account) {
	put(&r.accounts, vehicle, account)
}

// AddUnreadable counts rows that could not be decoded.
func (r *Report) AddUnreadable(rows int64) { r.unreadable += rows }

// Account is the sum of all accounts.
func (r *Report) Account() fleet.Account {
	var sum fleet.Account
	for _, account := range r.accounts {
		sum = sum.Plus(account)
	}
	if r.unreadable > 0 {
		sum = sum.Plus(fleet.Account{Rows: r.unreadable, LeftOut: map[fleet.Reason]int64{fleet.Unreadable: r.unreadable}})
	}
	return sum
}

// motionRows has the speed that the vehicle reported beside that from its positions. What cannot be computed is empty.
func (r *Report) motionRows() [][]string {
	rows := [][]string{{
		"vehicle", "window_start", "distance_m", "time_s", "moving_s", "standing_s", "speed_mps", "moving_speed_mps", "covered", "partial",
		"reported_n", "reported_mean_mps", "reported_max_mps", "reported_time_weighted_mps",
		"odometer_m", "distance_of_odometer_pairs_m",
	}}
	for _, k := range sorted(r.motions, windowKey.compare) {
		m, reported := r.motions[k], r.windows[k]
		rows = append(rows, []string{
			k.vehicle, number(k.start.Unix()), number(m.Distance.Metres()), number(m.Time.Seconds()),
			number(m.Moving.Seconds()), number(m.Standing().Seconds()), optional(m.Speed), optional(m.MovingSpeed),
			number(m.Covered), flag(m.Partial),
			strconv.FormatInt(reported.Count, 10),
			only(reported.Count > 0, reported.Mean), only(reported.Count > 0, reported.Max),
			only(m.ReportedTime > 0, m.Reported.Metres()/m.ReportedTime.Seconds()),
			only(m.OdometerTime > 0, m.Odometer.Metres()), only(m.OdometerTime > 0, m.OdometerDistance.Metres()),
		})
	}
	return rows
}

// accountRows says how many rows there are and why some are left out.
func (r *Report) accountRows() [][]string {
	account := r.Account()
	rows := [][]string{
		{"key", "value"},
		{"account_rows", strconv.FormatInt(account.Rows, 10)},
		{"account_fixes", strconv.FormatInt(account.Fixes, 10)},
	}
	for _, reason := range fleet.Reasons {
		rows = append(rows, []string{"account_" + string(reason), strconv.FormatInt(account.LeftOut[reason], 10)})
	}
	rows = append(rows, []string{"rows_without_arrival", strconv.FormatInt(account.Undated, 10)}) // nobody can check their clocks
	var pairs fleet.Motion
	for _, m := range r.motions {
		pairs = pairs.Plus(m.Motion)
	}
	rows = append(rows,
		[]string{"pairs_clean", strconv.FormatInt(pairs.Pairs, 10)},
		[]string{"pairs_gap", strconv.FormatInt(pairs.Gaps, 10)},
		[]string{"pairs_jump", strconv.FormatInt(pairs.Jumps, 10)},
	)
	rows = append(rows, []string{"fixes_late", strconv.FormatInt(account.Late, 10)})
	for _, reason := range fleet.UnusedReasons {
		rows = append(rows, []string{"fixes_" + string(reason), strconv.Itoa(r.Unused()[reason])})
	}
	return append(rows, r.stopAccountRows()...)
}

func (k windowKey) compare(other windowKey) int {
	return cmp.Or(cmp.Compare(k.vehicle, other.vehicle), cmp.Compare(k.start, other.start))
}

// optional is a number, or empty for nil.
func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return number(*x)
}

// only is a number if it is known, or else empty.
func only(known bool, x float64) string {
	if !known {
		return ""
	}
	return number(x)
}

func flag(x bool) string {
	if x {
		return "1"
	}
	return "0"
}
