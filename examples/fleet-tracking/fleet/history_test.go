package fleet

import (
	"encoding/json"
	"testing"
)

const day = 24 * 60 * 60

func TestHistory(t *testing.T) {
	var past History
	add := func(sequence int, at int64, seconds Span) {
		before, _ := json.Marshal(past)
		next := past.Add(LegTime{sequence, Seconds(at), seconds * 1000})
		if after, _ := json.Marshal(past); string(after) != string(before) {
			t.Errorf("the history before is %s now, was %s", after, before)
		}
		past = next
	}
	took := func(sequence int, at int64, runs int64, seconds Span) {
		t.Helper()
		if n, time := past.took(sequence, Seconds(at)); n != runs || time != seconds*1000 {
			t.Errorf("leg to %d on day %d: %d runs took %v, want %d and %d s", sequence, at/day, n, time.Seconds(), runs, seconds)
		}
	}
	add(7, 10*day, 60)
	add(3, 10*day, 90)
	add(7, 10*day+5, 70)
	add(7, 12*day, 50)
	add(7, 11*day, 40) // late
	took(7, 12*day, 4, 220)
	took(3, 12*day, 1, 90)
	took(4, 12*day, 0, 0)
	took(7, 16*day, 4, 220)
	took(7, 17*day, 2, 90) // a week later the first day counts no more
	took(7, 10*day, 2, 130)

	past = past.Forget(LegTime{7, Seconds(12 * day), 50_000})
	took(7, 12*day, 3, 170)

	add(7, 18*day, 30)
	if n := len(past.Legs[1].Days); n != 1 {
		t.Errorf("%d days are kept, want 1", n)
	}
	if past.LastFix() != Seconds(18*day) {
		t.Errorf("the latest arrival is %v", past.LastFix())
	}
}

func TestMisses(t *testing.T) {
	var past History
	for i := range 300 {
		past = past.Missed(2, Seconds(int64(10+i/150)*day), float64(i))
	}
	if n := past.Errors[2].count(); n != mostMisses {
		t.Errorf("%d errors are kept, want %d", n, mostMisses)
	}
	if m := past.Errors[2]; m.Low != 120 || m.High != 280 {
		t.Errorf("percentiles %d and %d, want 120 and 280", m.Low, m.High)
	}
	past = past.Missed(2, Seconds(9*day), -1000) // late
	past = past.Missed(2, Seconds(17*day), 5)
	if m := past.Errors[2]; m.count() != 151 || m.Days[0].Day != 11 {
		t.Errorf("%d errors from day %d on, want 151 from day 11 on", m.count(), m.Days[0].Day)
	}
	if n := past.Errors[1].count(); n != 0 {
		t.Errorf("%d errors of another horizon", n)
	}
}
