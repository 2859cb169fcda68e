package fleet

import "testing"

// TestAssignmentsAt looks up a vehicle that changes its driver at noon and is lent out within the afternoon.
func TestAssignmentsAt(t *testing.T) {
	drives := Assignments{Drives: []Assignment{
		{Driver: "ana", From: Seconds(8 * 3600), To: Seconds(12 * 3600)},
		{Driver: "bruno", From: Seconds(12 * 3600), To: Seconds(18 * 3600)},
		{Driver: "clara", From: Seconds(14 * 3600), To: Seconds(15 * 3600)},
	}}
	for hour, want := range map[int64]string{7: "", 8: "ana", 12: "bruno", 14: "clara", 15: "bruno", 18: ""} {
		if got, ok := drives.At(Seconds(hour * 3600)); got.Driver != want || ok != (want != "") {
			t.Errorf("at %d:00 drives %q, %v; want %q", hour, got.Driver, ok, want)
		}
	}
}
