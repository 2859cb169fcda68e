package fleet_test

import (
	"fmt"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

func TestLegs(t *testing.T) {
	for _, test := range []struct {
		name   string
		script string
		want   []string
	}{
		{
			"from departure to arrival, the pairs at both ends by their share of time",
			`
			60 800 speed=10
			80 1000 speed=0
			110 1000 speed=0
			150 1400 speed=10
			210 2100 speed=10
			`,
			[]string{"2-3 110..201.429 planned 120 s 1000 m, driven 91.4 s 1000 m, dwell 30"},
		},
		{
			"over a pair that is not clean the distance is not known",
			`
			60 900 speed=10
			80 1100 speed=10
			381 1900 speed=10
			401 2100 speed=10
			`,
			[]string{"2-3 70..391 planned 120 s 1000 m, driven 321.0 s -, dwell 0"},
		},
		{
			"none from a stop without a departure",
			`
			60 1200 speed=10
			100 2100 speed=10
			`,
			nil,
		},
		{
			"one from a stop where the vehicle stands at first, without a dwell",
			`
			60 1000 speed=0
			90 1000 speed=0
			180 2000 speed=9
			`,
			[]string{"2-3 90..180 planned 120 s 1000 m, driven 90.0 s 1000 m, dwell -"},
		},
		{
			"none over a stop that is not timed",
			`
			60 -100 speed=9
			80 100 speed=9
			240 1100 speed=9
			260 2100 speed=9
			`,
			nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, legs := visit(t, along(0, 1000, 2000, 3000), run(t, test.script))
			var got []string
			for _, l := range legs {
				dwell := "-"
				if l.Dwell != nil {
					dwell = fmt.Sprint(*l.Dwell)
				}
				driven := "-"
				if l.DrivenMetres != nil {
					driven = fmt.Sprintf("%.0f m", *l.DrivenMetres)
				}
				got = append(got, fmt.Sprintf("%d-%d %s..%s planned %v s %v m, driven %.1f s %s, dwell %s", l.FromSequence, l.ToSequence,
					clock(l.Left), clock(l.Arrived), l.Planned, l.PlannedMetres, l.Driven, driven, dwell))
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("legs are\n%v\nwant\n%v", got, test.want)
			}
		})
	}
}

// The hour of a leg is that of its departure, where the trip is.
func TestLegHour(t *testing.T) {
	trip := along(0, 1000, 2000, 3000)
	trip.Zone = "America/Maceio" // UTC-3: the run starts at 5 o'clock
	for i := range trip.Stops {
		trip.Stops[i].Due -= 3 * 3600
		trip.Stops[i].Leaves -= 3 * 3600
	}
	_, legs := visit(t, trip, run(t, "60 900 speed=10\n80 1100 speed=10\n150 2100 speed=10"))
	if len(legs) != 1 || legs[0].Hour != 5 {
		t.Errorf("legs are %+v, want one in hour 5", legs)
	}
}

func TestRunsOfAFrequency(t *testing.T) {
	trip := along(0, 1000, 2000)
	trip.Frequency = fleet.Headway
	var fixes []fleet.Position
	for _, start := range []struct {
		second int64
		text   string
	}{{0, "08:00:00"}, {600, "08:10:00"}} {
		for _, f := range run(t, "60 900 speed=10\n80 1100 speed=10") {
			f.Instant += fleet.Seconds(start.second)
			f.Start = start.text
			fixes = append(fixes, f)
		}
	}
	visits, _ := visit(t, trip, fixes)
	var got []string
	for _, v := range visits {
		if v.How == fleet.ByPass {
			got = append(got, fmt.Sprintf("%s due %s arrives %s headway %v", v.Start, clock(v.Due), clock(v.Arrived), v.Headway))
		}
	}
	want := []string{"08:00:00 due 120 arrives 70 headway true", "08:10:00 due 720 arrives 670 headway true"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("arrivals at stop 2 are\n%q, want\n%q", got, want)
	}
	for _, start := range []string{"", "8", "08:60:00"} {
		f := fixes[0]
		f.Start = start
		if fleet.PlanOf("", trip).On(fleet.RunFix{Position: f}).Known() {
			t.Errorf("a run that starts at %q is known", start)
		}
	}
}
