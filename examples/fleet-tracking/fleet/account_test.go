package fleet_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// arrived is a fix that arrives so long after it was taken.
func arrived(lat, lon float64, after time.Duration) fleet.Position {
	taken := fleet.Seconds(1768585399)
	return fleet.Position{Vehicle: "onibus-1", Lat: &lat, Lon: &lon, Instant: taken, Arrival: taken + fleet.Instant(after.Milliseconds())}
}

func TestFault(t *testing.T) {
	here := func(change func(*fleet.Position)) fleet.Position {
		p := arrived(-10.9, -37.07, 0)
		change(&p)
		return p
	}
	for _, test := range []struct {
		name string
		p    fleet.Position
		want fleet.Reason
	}{
		{"Aracaju", arrived(-10.9, -37.07, time.Second), ""},
		{"on the equator", arrived(0, -51, 0), ""},
		{"on the first meridian", arrived(51, 0, 0), ""},
		{"no time", here(func(p *fleet.Position) { p.Instant = 0 }), fleet.NoTime},
		{"no time and no vehicle", here(func(p *fleet.Position) { p.Instant, p.Vehicle = 0, "" }), fleet.NoTime},
		{"no vehicle", here(func(p *fleet.Position) { p.Vehicle = "" }), fleet.NoVehicle},
		{"no latitude", here(func(p *fleet.Position) { p.Lat = nil }), fleet.NoPosition},
		{"no longitude", here(func(p *fleet.Position) { p.Lon = nil }), fleet.NoPosition},
		{"a drop-out", arrived(0, 0, 0), fleet.ZeroPosition},
		{"beyond the pole", arrived(90.1, 0, 0), fleet.OutsideTheGlobe},
		{"around the globe", arrived(0, -180.1, 0), fleet.OutsideTheGlobe},
		{"5 min ahead", arrived(1, 1, -5*time.Minute), ""},
		{"more than 5 min ahead", arrived(1, 1, -5*time.Minute-time.Millisecond), fleet.ClockAhead},
		{"7 days behind", arrived(1, 1, 7*24*time.Hour), ""},
		{"more than 7 days behind", arrived(1, 1, 7*24*time.Hour+time.Millisecond), fleet.ClockBehind},
		{"nobody noted the arrival", here(func(p *fleet.Position) { p.Arrival = 0 }), ""},
	} {
		if got := test.p.Fault(); got != test.want {
			t.Errorf("%s: fault %q, want %q", test.name, got, test.want)
		}
	}
}

// Every row is counted once, and an account leaves the one it was made from as it was.
func TestAccount(t *testing.T) {
	fix, repeat := fleet.Row{Sent: fleet.Position{Arrival: 1}}, fleet.Row{LeftOut: fleet.Repeat}
	late := fleet.Row{Late: true}
	one := fleet.Account{}.Add(fix).Add(repeat)
	two := one.Add(repeat).Add(fleet.Row{LeftOut: fleet.NoTime}).Add(late)
	if want := (fleet.Account{Rows: 2, Fixes: 1, Undated: 1, LeftOut: map[fleet.Reason]int64{fleet.Repeat: 1}}); !reflect.DeepEqual(one, want) {
		t.Errorf("account is %+v, want %+v", one, want)
	}
	want := fleet.Account{Rows: 7, Fixes: 3, Late: 1, Undated: 5, LeftOut: map[fleet.Reason]int64{fleet.Repeat: 3, fleet.NoTime: 1}}
	if sum := one.Plus(two); !reflect.DeepEqual(sum, want) {
		t.Errorf("sum is %+v, want %+v", sum, want)
	} else if got, want := sum.String(), "3 of 7 rows are fixes, 1 of them after their window had closed; left out: 1 no_time, 3 repeat"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
}
