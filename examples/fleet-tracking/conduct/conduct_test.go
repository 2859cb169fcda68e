package conduct

import (
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// north is the fix of a vehicle so many metres north of a place, at so many seconds.
func north(second int64, metres float64) Point {
	return Point{
		Fix:   fleet.Fix{Instant: fleet.Seconds(second), Point: orb.Point{0, metres / 111_195}},
		Limit: 65 / 3.6, Sheet: SheetOf("", "a", "20260116"),
	}
}

func (p Point) at(speed float64) Point {
	p.Speed = &speed
	return p
}

func (p Point) with(ignition bool) Point {
	p.Ignition = &ignition
	return p
}

func (p Point) by(driver string) Point {
	p.Sheet = SheetOf(driver, "a", p.Day)
	return p
}

func tally(fixes ...Point) Figures {
	_, sums := Tally(fixes...)
	return sums[fixes[0].Sheet]
}

func TestStands(t *testing.T) {
	var fixes []Point
	for second := int64(0); second <= 270; second += 30 {
		fixes = append(fixes, north(second, 0).with(second < 100))
	}
	if f := tally(fixes...); f.Stands != 0 || f.Standing() != 270_000 || f.Idle != 90_000 || f.WithIgnition != 270_000 {
		t.Errorf("270 s are %+v", f)
	}
	gap := append(slices.Clone(fixes), north(600, 0)) // nobody knows what was between
	if f := tally(gap...); f.Stands != 0 || f.LeftOut != 1 {
		t.Errorf("270 s and a gap are %+v", f)
	}
	fixes = append(fixes, north(300, 1), north(330, 10), north(360, 610))
	if f := tally(fixes...); f.Stands != 1 || f.StandTime != 330_000 || f.Moving != 30_000 || f.WithIgnition != 270_000 {
		t.Errorf("330 s are %+v", f)
	}
}

func TestOverspeed(t *testing.T) {
	f := tally(north(0, 0).at(18), north(10, 180).at(18.5), north(20, 380).at(18.06), north(30, 540).at(18.5))
	if f.OverFixes != 3 || f.OverEpisodes != 1 || f.JudgedFixes != 4 {
		t.Errorf("reported: %+v", f)
	}
	if f.OverSpans != 0 || f.OverTime != 0 {
		t.Errorf("ten seconds over the limit are noise: %+v", f)
	}
	f = tally(north(0, 0), north(10, 200), north(15, 300), north(25, 400))
	if f.OverSpans != 1 || f.OverTime != 15_000 || f.JudgedTime != 25_000 {
		t.Errorf("from positions: %+v", f)
	}
	if f := tally(north(0, 0).at(65 * (1 / 3.6))); f.OverFixes != 0 {
		t.Errorf("65 km/h is over 65 km/h: %+v", f)
	}
	unlimited := north(0, 0).at(50)
	unlimited.Limit = 0
	if f := tally(unlimited); f.OverFixes != 0 || f.JudgedFixes != 0 || f.Limited != 0 || f.MovingFixes != 1 {
		t.Errorf("without a limit: %+v", f)
	}
}

// Only pairs at most two seconds apart show harsh driving, and only of vehicles that roll.
func TestHarshness(t *testing.T) {
	f := tally(north(0, 0).at(10), north(2, 15).at(5), north(4, 20).at(0), north(5, 20).at(2.6), north(8, 40).at(11))
	if f.Brakings != 2 || f.Accelerations != 0 || f.Short != 3 {
		t.Errorf("%+v", f)
	}
}

// A pair whose fixes belong to different drivers counts for nobody.
func TestChangeOfDrivers(t *testing.T) {
	_, sums := Tally(north(0, 0).by("ana"), north(30, 300).by("ana"), north(60, 600).by("bia"), north(90, 900).by("ana"))
	ana, bia := sums[SheetOf("ana", "", "20260116")], sums[SheetOf("bia", "", "20260116")]
	if ana.Fixes != 3 || ana.Pairs != 1 || ana.Time != 30_000 || bia.Fixes != 1 || bia.Pairs != 0 {
		t.Errorf("%+v\n%+v", ana, bia)
	}
}

// TestLate: fixes add the same in any order of arrival.
func TestLate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		fixes := randomFixes(random, 60)
		wantTrail, want := Tally(fixes...)
		got := map[Sheet]Figures{}
		var trail Trail
		var known []Point
		for _, i := range random.Perm(len(fixes)) {
			fix := fixes[i]
			place, _ := slices.BinarySearchFunc(known, fix, func(a, b Point) int { return int(a.Instant - b.Instant) })
			if place == len(known) {
				var figures Figures
				trail, figures = trail.Add(fix)
				got[fix.Sheet] = got[fix.Sheet].Plus(figures)
			} else {
				vicinity, err := VicinityOf(fix, backwards(known[:place]), forwards(known[place:]))
				if err != nil {
					t.Fatal(err)
				}
				trail = vicinity.Trail(trail)
				for sheet, figures := range vicinity.Change() {
					got[sheet] = got[sheet].Plus(figures)
				}
			}
			known = slices.Insert(known, place, fix)
		}
		for sheet, figures := range want {
			if got[sheet] != figures {
				t.Fatalf("%v is\n%+v, want\n%+v", sheet, got[sheet], figures)
			}
		}
		if trail.Stood != wantTrail.Stood || trail.Sped != wantTrail.Sped || trail.Last.Instant != wantTrail.Last.Instant {
			t.Fatalf("the trail is %+v, want %+v", trail, wantTrail)
		}
	}
}

// randomFixes are fixes of a vehicle that stands, drives, speeds and falls silent for random times, with several drivers.
func randomFixes(random *rand.Rand, n int) []Point {
	var fixes []Point
	second, metres, speed, driver := int64(0), 0.0, 0.0, "ana"
	for range n {
		step := 1 + random.Int64N(40)
		switch random.IntN(8) {
		case 0:
			speed = []float64{0, 10, 20, 60}[random.IntN(4)]
		case 1:
			driver = []string{"ana", "bia", ""}[random.IntN(3)]
		case 2:
			step = random.Int64N(400) + 1
		}
		second, metres = second+step, metres+speed*float64(step)
		fix := north(second, metres).by(driver)
		if random.IntN(3) > 0 {
			fix = fix.at(speed + random.Float64()).with(random.IntN(2) == 0)
		}
		fixes = append(fixes, fix)
	}
	return fixes
}

func forwards(fixes []Point) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		for _, fix := range fixes {
			if !yield(fix, nil) {
				return
			}
		}
	}
}

func backwards(fixes []Point) iter.Seq2[Point, error] {
	fixes = slices.Clone(fixes)
	slices.Reverse(fixes)
	return forwards(fixes)
}

func TestVicinityFails(t *testing.T) {
	broken := func(yield func(Point, error) bool) { yield(Point{}, errors.New("broken")) }
	for _, test := range [][2]iter.Seq2[Point, error]{{broken, forwards(nil)}, {forwards(nil), broken}} {
		if _, err := VicinityOf(north(0, 0), test[0], test[1]); err == nil {
			t.Error("no error")
		}
	}
}

func TestGrade(t *testing.T) {
	for _, test := range []struct {
		visit fleet.Visit
		want  Grade
	}{
		{fleet.Visit{Timepoint: true, Leaves: fleet.Seconds(1000), Left: fleet.Seconds(940)}, OnTime},
		{fleet.Visit{Timepoint: true, Leaves: fleet.Seconds(1000), Left: fleet.Seconds(1300)}, OnTime},
		{fleet.Visit{Timepoint: true, Leaves: fleet.Seconds(1000), Left: fleet.Seconds(940) - 1}, Early},
		{fleet.Visit{Timepoint: true, Leaves: fleet.Seconds(1000), Left: fleet.Seconds(1300) + 1}, Late},
		{fleet.Visit{Timepoint: true, Leaves: fleet.Seconds(1000)}, ""},
		{fleet.Visit{Leaves: fleet.Seconds(1000), Left: fleet.Seconds(1000)}, ""},
		{fleet.Visit{Timepoint: true, Last: true, Leaves: fleet.Seconds(1000), Left: fleet.Seconds(1000)}, ""},
		{fleet.Visit{Timepoint: true, Headway: true, Leaves: fleet.Seconds(1000), Left: fleet.Seconds(1000)}, ""},
	} {
		if got, ok := GradeOf(test.visit); got != test.want || ok != (test.want != "") {
			t.Errorf("%+v is %q, want %q", test.visit, got, test.want)
		}
	}
}

// A delivery is graded by its promised window, as far as the fixes around the arrival tell.
func TestGradeOfDelivery(t *testing.T) {
	promise := &fleet.Promise{From: fleet.Seconds(1000), To: fleet.Seconds(2000)}
	for _, test := range []struct {
		visit fleet.Visit
		want  Grade
	}{
		{fleet.Visit{How: fleet.ByHalt, Arrived: fleet.Seconds(1000), High: fleet.Seconds(1000)}, OnTime},
		{fleet.Visit{How: fleet.ByHalt, Arrived: fleet.Seconds(2000), High: fleet.Seconds(2000)}, OnTime},
		{fleet.Visit{How: fleet.ByHalt, Arrived: fleet.Seconds(1000) - 1, High: fleet.Seconds(1000)}, Early},
		{fleet.Visit{How: fleet.ByHalt, Arrived: fleet.Seconds(2000) + 1, High: fleet.Seconds(2010)}, Late},
		{fleet.Visit{How: fleet.Gap, Low: fleet.Seconds(1200), High: fleet.Seconds(1600)}, OnTime},
		{fleet.Visit{How: fleet.Gap, Low: fleet.Seconds(1800), High: fleet.Seconds(2001)}, ""},
		{fleet.Visit{How: fleet.ImplausiblyEarly, High: fleet.Seconds(1500)}, ""},
	} {
		test.visit.Promise = promise
		if got, ok := GradeOf(test.visit); got != test.want || ok != (test.want != "") {
			t.Errorf("%+v is %q, want %q", test.visit, got, test.want)
		}
	}
}

// The same entry twice counts once; a book that is added to stays as it was.
func TestBook(t *testing.T) {
	sheet := SheetOf("ana", "", "20260116")
	call := Call{Run: fleet.Run{Vehicle: "a", Trip: "1", Day: "20260116"}, Sequence: 3, Grade: Late}
	graded := call
	entries := []Entry{
		{From: "a", Part: &Part{Figures: Figures{Fixes: 2}, Peaks: Peaks{TopSpeed: 3}}},
		{From: "b", Part: &Part{Figures: Figures{Fixes: 5}, Peaks: Peaks{TopSpeed: 2}}},
		{Call: &graded},
		{Stretch: &Stretch{Vehicle: "a", Trip: "1", Day: "20260116"}},
		{Stretch: &Stretch{Vehicle: "a", Trip: "1", Day: "20260116", Detour: 7}},
		{Stretch: &Stretch{Vehicle: "a", Trip: "1", Day: "20260116", Detour: 5}},
		{Stretch: &Stretch{Vehicle: "b", Trip: "1", Day: "20260116"}},
	}
	var book Book
	for _, e := range entries {
		before := book.Day(sheet)
		after, changed := book.Add(e)
		if !changed || book.Day(sheet).Fixes != before.Fixes || book.Day(sheet).Detours != before.Detours {
			t.Errorf("%+v: changes: %v", e, changed)
		}
		book = after
	}
	for _, e := range entries {
		if _, changed := book.Add(e); changed {
			t.Errorf("%+v counts twice", e)
		}
	}
	late := book
	call.Grade = ""
	if book, _ = book.Add(Entry{Call: &call}); book.Day(sheet).Timepoints != 0 {
		t.Errorf("a departure that is taken back counts: %+v", book)
	}
	d := late.Day(sheet)
	if d.Fixes != 7 || d.TopSpeed != 3 || d.Timepoints != 1 || d.Late != 1 || d.Runs != 2 || d.Detours != 2 || !slices.Equal(d.Vehicles, []string{"a", "b"}) {
		t.Errorf("%+v", d)
	}
}

func TestScore(t *testing.T) {
	driven := Figures{Limited: 40, Pairs: 40, Distance: fleet.Metres(10_000), Time: 1_240_000, Moving: 1_000_000, JudgedTime: 1_000_000}
	for _, test := range []struct {
		name   string
		day    Day
		score  float64
		weight int
	}{
		{"half of the overspeed that costs all", Day{Figures: driven.Plus(Figures{OverTime: 25_000})}, 50, 40},
		{"reported counts before derived", Day{Figures: driven.Plus(Figures{OverTime: 25_000, JudgedFixes: 100, OverFixes: 1})}, 80, 40},
		{"far too fast", Day{Figures: driven.Plus(Figures{OverTime: 900_000})}, 0, 40},
		{"idling", Day{Figures: driven.Plus(Figures{WithIgnition: 200_000, Idle: 111_111})}, 100 - 20./60*50, 60},
		{"two departures are too few", Day{Figures: driven, Timepoints: 2}, 100, 40},
		{"punctual three times of four", Day{Figures: driven, Timepoints: 4, OnTime: 3}, 100 - 20./60*25, 60},
		{"a detour in four runs", Day{Figures: driven, Runs: 4, Detours: 1}, 100 - 20./60*50, 60},
		{"harsh", Day{Figures: driven.Plus(Figures{ShortTime: 900_000, Brakings: 1})}, 50, 80},
		{"short pairs are too rare", Day{Figures: driven.Plus(Figures{ShortTime: 700_000, Brakings: 1})}, 100, 40},
		{"without a limit", Day{Figures: Figures{Distance: driven.Distance, Moving: driven.Moving}, Runs: 1}, 100, 20},
	} {
		test.day.rate()
		if s := test.day.Score; s == nil || *s-test.score > 1e-4 || test.score-*s > 1e-4 || test.day.Weight != test.weight {
			t.Errorf("%s: %+v", test.name, test.day)
		}
	}
	little := Day{Figures: driven}
	little.Distance = fleet.Metres(4999)
	if little.rate(); little.Score != nil || little.Weight != 0 {
		t.Errorf("driven too little: %+v", little)
	}
}

func TestMissing(t *testing.T) {
	d := Day{Figures: Figures{Fixes: 11, Reported: 11, Pairs: 10, Time: 310_000, Moving: 300_000}}
	d.rate()
	for name, want := range map[string]string{
		Harshness: "not computable: fixes every 31 s", Idling: "not computable: no ignition", Overspeed: "not computable: no limit is given",
		Punctuality: "not computable: no departure at a timepoint and no delivery", Detours: "not computable: no run with a known route",
	} {
		if d.Missing[name] != want {
			t.Errorf("%s is %q, want %q", name, d.Missing[name], want)
		}
	}
}
