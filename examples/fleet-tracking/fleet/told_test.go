package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// hear makes a run tell of a fix every 30 s, and of arrivals that come later than told.
func TestTold(t *testing.T) {
	var run Told
	var past History
	hear := func(at int64, stops Stops) Forecast {
		t.Helper()
		stops.Forecast.Path = "p"
		stops.Forecast.Instant = Seconds(at)
		var err error
		var f Forecast
		before, _ := json.Marshal(run)
		next, learned, f := run.Hear(stops, past)
		if after, _ := json.Marshal(run); string(after) != string(before) {
			t.Errorf("Hear modified its receiver: it is %s, was %s", after, before)
		}
		text, err := json.Marshal(next)
		if err != nil {
			t.Fatal(err)
		}
		run = Told{}
		if err := json.Unmarshal(text, &run); err != nil {
			t.Fatal(err)
		}
		past = learned
		return f
	}
	ahead := func(stops ...Expected) Stops {
		return Stops{Forecast: Forecast{Left: 1, Since: Seconds(940), Stops: stops}}
	}
	b, c := Expected{Sequence: 20, Due: Seconds(1060)}, Expected{Sequence: 30, Due: Seconds(1360)}

	for at := int64(1000); at < 1180; at += 10 {
		hear(at, ahead(b, c))
	}
	if n := len(run.Forecasts); n != 9 {
		t.Errorf("%d forecasts are remembered, want one every 20 s: 9", n)
	}
	arrived := func(sequence int, at int64, took float64) Stops {
		stops := ahead(c)
		stops.Forecast.Since = b.Due
		stops.Visits = []Visit{{Sequence: sequence, Arrived: Seconds(at)}}
		stops.Legs = []Leg{{ToSequence: sequence, Arrived: Seconds(at), Counted: &took}}
		return stops
	}
	f := hear(1180, arrived(20, 1175, 300))
	// 120 s ahead it was told at 1060 s, to come in 120 s: it came 5 s earlier.
	if got := fmt.Sprint(past.Errors[0].Days); got != "[{0 [-5]}]" {
		t.Errorf("errors 2 min ahead are %v", got)
	}
	if got := fmt.Sprint(past.Errors[1].Days); got != "[]" {
		t.Errorf("errors 5 min ahead are %v", got)
	}
	if n, time := past.took(20, Seconds(1180)); n != 1 || time != 300_000 {
		t.Errorf("%d runs took %v", n, time)
	}
	if got := f.Stops[0].Arrives; got != Seconds(1480) {
		t.Errorf("the next stop is reached at %v, want 1480", got.Unix())
	}

	// The arrival is told again when the run leaves, and better. It is measured once, and its leg counts once.
	hear(1190, arrived(20, 1185, 310))
	if n := past.Errors[0].count(); n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
	if n, time := past.took(20, Seconds(1180)); n != 1 || time != 310_000 {
		t.Errorf("%d runs took %v", n, time)
	}

	// What it keeps does not grow.
	for at := int64(1200); at < 9000; at += 30 {
		hear(at, ahead(c))
	}
	if text, _ := json.Marshal(run); len(text) > 2000 {
		t.Errorf("%d bytes are kept: %s", len(text), text)
	}

	// A new timetable begins anew.
	stops := ahead(c)
	stops.Forecast.Path, stops.Forecast.Instant = "q", Seconds(9000)
	if run, _, _ = run.Hear(stops, History{}); len(run.Forecasts) != 1 || run.Leg != nil {
		t.Errorf("on another path the run has been told %v", run)
	}
}

func TestAhead(t *testing.T) {
	for _, c := range []struct {
		fixes   string
		arrived int64
		want    string
	}{
		{"0 30 60 90 120", 180, "60"},
		{"0 30 60 90 120", 170, "60"},
		{"0 30 60 90 120", 151, "30"},
		{"0 30 60", 211, "none"}, // 31 s from the horizon
		{"0 30 60", 210, "60"},
		{"0 120 240 360", 300, "120"}, // fixes are rare: 60 s count
		{"0 120 240 360", 540, "360"},
		{"0 120 240 360", 541, "none"},
		{"", 100, "none"},
		{"300", 200, "none"}, // after the arrival
	} {
		var fixes []Instant
		for _, text := range strings.Fields(c.fixes) {
			var s int64
			fmt.Sscan(text, &s)
			fixes = append(fixes, Seconds(s))
		}
		got := "none"
		if i, ok := Ahead(fixes, Seconds(c.arrived), 120); ok {
			got = fmt.Sprint(fixes[i].Unix())
		}
		if got != c.want {
			t.Errorf("of fixes at %s the one 120 s before %d is %s, want %s", c.fixes, c.arrived, got, c.want)
		}
	}
}
