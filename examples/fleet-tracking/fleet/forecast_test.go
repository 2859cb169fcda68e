package fleet

import (
	"testing"
)

// outlook is a fix at 1000 s, half way from a stop due at 940 s to one due at 1060 s; the next is a timepoint, due at 1180 s and left at 1240 s.
func outlook() Forecast {
	delay, behind := 30.0, -20.0
	return Forecast{
		Path: "p", Instant: Seconds(1000), Timed: true, Since: Seconds(940), Left: 0.5, Delay: &delay, Behind: &behind,
		Stops: []Expected{
			{Sequence: 2, Stop: "b", Due: Seconds(1060)},
			{Sequence: 3, Stop: "c", Due: Seconds(1180), Leaves: Seconds(1240)},
			{Sequence: 4, Stop: "d", Due: Seconds(1300)},
		},
	}
}

func TestForecast(t *testing.T) {
	var past History
	past = past.Add(LegTime{2, Seconds(900), 180_000})
	past = past.Add(LegTime{4, Seconds(900), 30_000})
	past = past.Add(LegTime{4, Seconds(950), 60_000})
	waiting := outlook()
	waiting.Start = Seconds(1100)
	early := outlook()
	early.Left = 0.05
	beforeFirst := outlook()
	beforeFirst.Since, beforeFirst.Left = 0, 0
	for _, c := range []struct {
		name     string
		forecast Forecast
		past     History
		want     []float64
		known    []int
	}{
		{"as planned", outlook(), History{}, []float64{1060, 1180, 1300}, []int{0, 0, 0}},
		{"half of (180 + 2 × 120) / 3, and (30 + 60 + 2 × 120) / 4", outlook(), past, []float64{1070, 1190, 1272.5}, []int{1, 1, 2}},
		{"from its start on", waiting, History{}, []float64{1160, 1280, 1400}, []int{0, 0, 0}},
		{"early, it waits at the timepoint", early, History{}, []float64{1006, 1126, 1300}, []int{0, 0, 0}},
		{"before the first stop", beforeFirst, History{}, []float64{1000, 1120, 1300}, []int{0, 0, 0}},
	} {
		for i, stop := range c.forecast.With(c.past).Stops {
			if stop.Arrives.Unix() != c.want[i] || stop.Known != c.known[i] {
				t.Errorf("%s: stop %s at %v with %d known legs, want %v and %d", c.name, stop.Stop, stop.Arrives.Unix(), stop.Known, c.want[i], c.known[i])
			}
		}
	}
}

func TestForecastByOtherMethods(t *testing.T) {
	f := outlook()
	untimed := f
	untimed.Delay = nil
	soon := Expected{Due: Seconds(1010)}
	for _, c := range []struct {
		name string
		got  Instant
		want int64
	}{
		{"schedule", f.BySchedule(f.Stops[0]), 1060},
		{"the delay at the last stop", f.ByLastStop(f.Stops[0]), 1090},
		{"the delay at the place", f.ByPlace(f.Stops[0]), 1040},
		{"no stop is timed", untimed.ByLastStop(f.Stops[0]), 1040},
		{"not before now", f.ByPlace(soon), 1000},
	} {
		if c.got != Seconds(c.want) {
			t.Errorf("%s: %v, want %d", c.name, c.got.Unix(), c.want)
		}
	}
}

// A forecast is told with a range. It is a guess until a hundred forecasts of that horizon have been measured.
func TestForecastRange(t *testing.T) {
	var past History
	for seconds := range enoughMisses - 1 {
		past = past.Missed(0, Seconds(500), float64(seconds-20))
	}
	known := past.Missed(0, Seconds(500), 100)
	for _, c := range []struct {
		past      History
		ahead     float64
		low, high float64
	}{
		{past, 60, -75, 75},
		{past, 120, -75, 75},
		{past, 210, -102.5, 102.5},
		{past, 600, -200, 200},
		{past, 5000, -280, 280},
		{known, 60, -10, 70},
		{known, 210, -70, 100},
		{known, 300, -130, 130},
	} {
		if low, high := c.past.spreads().at(c.ahead); low.Unix() != c.low || high.Unix() != c.high {
			t.Errorf("%v s ahead after %d: %v to %v, want %v to %v", c.ahead, c.past.Errors[0].count(), low.Unix(), high.Unix(), c.low, c.high)
		}
	}
	near := outlook()
	near.Left = 0.25
	if stop := near.With(History{}).Stops[0]; stop.Low != near.Instant || stop.High != Seconds(1030+75) {
		t.Errorf("a stop 30 s ahead is reached between %v and %v", stop.Low.Unix(), stop.High.Unix())
	}
}
