package fleet

import "testing"

// TestDeadline asks for the outcome a millisecond before the deadline and at it: it is another.
func TestDeadline(t *testing.T) {
	delivery := Delivery{From: Seconds(9 * 3600), To: Seconds(10 * 3600)}
	for name, known := range map[string]Evidence{
		"nothing is known":      {},
		"skipped":               {Later: Seconds(9*3600 + 1800)},
		"skipped long after":    {Later: Seconds(14*3600 - 60)},
		"still there":           {Visit: &Visit{How: ByHalt, High: Seconds(9 * 3600), Arrived: Seconds(9*3600 - 5)}},
		"there since a gap":     {Visit: &Visit{How: Gap, Low: Seconds(8 * 3600), High: Seconds(9 * 3600)}},
		"behind the first fix":  {Visit: &Visit{How: NotSeen, High: Seconds(9 * 3600)}},
		"not believed to be so": {Visit: &Visit{How: ImplausiblyEarly, High: Seconds(8 * 3600)}},
	} {
		at := delivery.Deadline(known)
		if before, after := delivery.Outcome(at-1, known), delivery.Outcome(at, known); before.State == after.State {
			t.Errorf("%s: %+v before and at the deadline %v", name, before, at.Time())
		}
	}
	for name, known := range map[string]Evidence{
		"recorded": {Record: &DeliveryRecord{Instant: Seconds(9 * 3600)}},
		"left":     {Visit: &Visit{How: ByHalt, High: Seconds(9 * 3600), Arrived: Seconds(9 * 3600), Left: Seconds(9*3600 + 30)}},
	} {
		if at := delivery.Deadline(known); at != 0 {
			t.Errorf("%s: deadline %v, want none", name, at.Time())
		}
	}
}
