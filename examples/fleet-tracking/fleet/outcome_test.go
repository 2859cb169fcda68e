package fleet

import "testing"

// TestOutcome asks what became of a delivery that was promised between 9 and 10 o'clock.
func TestOutcome(t *testing.T) {
	clock := func(hour, minute, second int64) Instant { return Seconds(hour*3600 + minute*60 + second) }
	delivery := Delivery{ID: "e1", From: clock(9, 0, 0), To: clock(10, 0, 0)}
	at := func(arrived, left Instant) *Visit {
		return &Visit{How: ByHalt, Low: arrived - Seconds(30), High: arrived, Arrived: arrived, Left: left}
	}
	seldom := func(low, high, left Instant) *Visit { return &Visit{How: Gap, Low: low, High: high, Left: left} }
	for name, c := range map[string]struct {
		now   Instant
		known Evidence
		want  Outcome
	}{
		"nothing is known": {now: clock(9, 30, 0), want: Outcome{State: Pending}},
		"just arrived": {
			clock(9, 30, 30),
			Evidence{Visit: at(clock(9, 30, 0), 0)},
			Outcome{State: There, Arrived: clock(9, 30, 0), Timed: true},
		},
		"there for a minute": {
			clock(9, 31, 0),
			Evidence{Visit: at(clock(9, 30, 0), 0)},
			Outcome{State: Attended, Arrived: clock(9, 30, 0), Timed: true},
		},
		"left after a minute": {
			clock(12, 0, 0),
			Evidence{Visit: at(clock(9, 30, 0), clock(9, 31, 0))},
			Outcome{State: Attended, Arrived: clock(9, 30, 0), Left: clock(9, 31, 0), Timed: true},
		},
		"left at once": {
			clock(12, 0, 0),
			Evidence{Visit: at(clock(9, 30, 0), clock(9, 30, 59))},
			Outcome{State: Visited, Arrived: clock(9, 30, 0), Left: clock(9, 30, 59), Timed: true},
		},
		"early": {
			clock(8, 50, 0),
			Evidence{Visit: at(clock(8, 45, 0), clock(8, 50, 0))},
			Outcome{State: Attended, Arrived: clock(8, 45, 0), Left: clock(8, 50, 0), Timed: true, Early: 900},
		},
		"late": {
			clock(10, 9, 0),
			Evidence{Visit: at(clock(10, 5, 0), clock(10, 9, 0))},
			Outcome{State: Attended, Arrived: clock(10, 5, 0), Left: clock(10, 9, 0), Timed: true, Late: 300},
		},
		"arrived between far fixes, both in time": {
			clock(9, 20, 0),
			Evidence{Visit: seldom(clock(9, 5, 0), clock(9, 15, 0), clock(9, 20, 0))},
			Outcome{State: Attended, Left: clock(9, 20, 0), Timed: true},
		},
		"arrived between far fixes, in time or late": {
			clock(10, 20, 0),
			Evidence{Visit: seldom(clock(9, 55, 0), clock(10, 5, 0), clock(10, 20, 0))},
			Outcome{State: Attended, Left: clock(10, 20, 0)},
		},
		"skipped for less than half an hour": {
			clock(10, 29, 59), Evidence{Later: clock(10, 0, 0)}, Outcome{State: Pending},
		},
		"skipped": {
			clock(10, 30, 0), Evidence{Later: clock(10, 0, 0)}, Outcome{State: Failed, Reason: ReasonSkipped},
		},
		"visited, and not skipped": {
			clock(11, 0, 0),
			Evidence{Visit: at(clock(9, 30, 0), clock(9, 30, 0)), Later: clock(10, 0, 0)},
			Outcome{State: Visited, Arrived: clock(9, 30, 0), Left: clock(9, 30, 0), Timed: true},
		},
		"nobody came": {clock(14, 0, 0), Evidence{}, Outcome{State: Failed, Reason: ReasonTooLate}},
		"the stop lies before the first fix": {
			clock(9, 0, 0), Evidence{Visit: &Visit{How: NotSeen, High: clock(8, 0, 0)}}, Outcome{State: Pending},
		},
		"the driver delivered through the window": {
			clock(9, 40, 0),
			Evidence{Visit: at(clock(9, 30, 0), clock(9, 30, 10)), Record: &DeliveryRecord{Instant: clock(9, 35, 0)}},
			Outcome{State: Delivered, Arrived: clock(9, 30, 0), Left: clock(9, 30, 10), Timed: true},
		},
		"the driver delivered where no position tells": {
			clock(10, 10, 0),
			Evidence{Record: &DeliveryRecord{Instant: clock(10, 2, 0)}},
			Outcome{State: Delivered, Arrived: clock(10, 2, 0), Timed: true, Late: 120},
		},
		"nobody was at home": {
			clock(9, 40, 0),
			Evidence{Visit: at(clock(9, 30, 0), clock(9, 38, 0)), Record: &DeliveryRecord{Failed: true, Reason: "ausente"}},
			Outcome{State: Failed, Reason: "ausente", Arrived: clock(9, 30, 0), Left: clock(9, 38, 0), Timed: true},
		},
	} {
		if got := delivery.Outcome(c.now, c.known); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestMinDwell lets a delivery through a letter box take ten seconds.
func TestMinDwell(t *testing.T) {
	delivery := Delivery{MinDwell: 10}
	got := delivery.Outcome(Seconds(60), Evidence{Visit: &Visit{How: ByHalt, High: Seconds(5), Arrived: Seconds(5), Left: Seconds(15)}})
	if got.State != Attended {
		t.Errorf("%+v, want %s", got, Attended)
	}
}
