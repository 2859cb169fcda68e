package fleet_test

import (
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// stand is a fix so many seconds after the start of a window, so many metres north of a point.
func stand(second int64, north float64) fleet.Fix {
	return fleet.Position{Instant: fleet.Seconds(300_000 + second), Lat: new(10 + north*metre), Lon: new(1.0)}.Fix()
}

// motions returns the motion in each window, by its number, when fixes arrive in this order.
func motions(fixes ...fleet.Fix) map[int64]fleet.Motion {
	windows := map[int64]fleet.Motion{}
	var known []fleet.Fix
	for _, f := range fixes {
		at, _ := slices.BinarySearchFunc(known, f, func(a, b fleet.Fix) int { return int(a.Instant - b.Instant) })
		var before, after *fleet.Fix
		if at > 0 {
			before = &known[at-1]
		}
		if at < len(known) {
			after = &known[at]
		}
		for _, s := range fleet.Shares(before, f, after) {
			w := int64(s.At)/300_000 - 1000
			windows[w] = windows[w].Plus(s.Motion)
		}
		known = slices.Insert(known, at, f)
	}
	return windows
}

func TestMotion(t *testing.T) {
	for _, test := range []struct {
		name  string
		fixes []fleet.Fix
		want  map[int64]fleet.Motion // lengths to the millimetre
	}{
		{"one fix moves nothing", []fleet.Fix{stand(0, 0)}, map[int64]fleet.Motion{0: {Fixes: 1}}},
		{"a pair", []fleet.Fix{stand(0, 0), stand(10, 100)}, map[int64]fleet.Motion{
			0: {Fixes: 2, Pairs: 1, Distance: fleet.Metres(100), Time: 10_000, Moving: 10_000, Way: fleet.Metres(100)},
		}},
		{"a pair over the edge of a window", []fleet.Fix{stand(290, 0), stand(330, 400)}, map[int64]fleet.Motion{
			0: {Fixes: 1, Distance: fleet.Metres(100), Time: 10_000, Moving: 10_000, Way: fleet.Metres(100)},
			1: {Fixes: 1, Pairs: 1, Distance: fleet.Metres(300), Time: 30_000, Moving: 30_000, Way: fleet.Metres(300)},
		}},
		{"a pair that ends at an edge", []fleet.Fix{stand(290, 0), stand(300, 100)}, map[int64]fleet.Motion{
			0: {Fixes: 1, Distance: fleet.Metres(100), Time: 10_000, Moving: 10_000, Way: fleet.Metres(100)},
			1: {Fixes: 1, Pairs: 1},
		}},
		{"slower than 1 m/s is standing", []fleet.Fix{stand(0, 0), stand(100, 99), stand(200, 200)}, map[int64]fleet.Motion{
			0: {Fixes: 3, Pairs: 2, Distance: fleet.Metres(200), Time: 200_000, Moving: 100_000, Way: fleet.Metres(101)},
		}},
		{"300 s are a pair, 301 s are a gap", []fleet.Fix{stand(0, 0), stand(300, 600), stand(601, 700)}, map[int64]fleet.Motion{
			0: {Fixes: 1, Distance: fleet.Metres(600), Time: 300_000, Moving: 300_000, Way: fleet.Metres(600)},
			1: {Fixes: 1, Pairs: 1},
			2: {Fixes: 1, Gaps: 1},
		}},
		{"more than 50 m/s is a jump", []fleet.Fix{stand(0, 0), stand(10, 501), stand(20, 501)}, map[int64]fleet.Motion{
			0: {Fixes: 3, Jumps: 1, Pairs: 1, Time: 10_000},
		}},
		{"a late fix splits a pair", []fleet.Fix{stand(0, 0), stand(20, 100), stand(10, 100)}, map[int64]fleet.Motion{
			0: {Fixes: 3, Pairs: 2, Distance: fleet.Metres(100), Time: 20_000, Moving: 10_000, Way: fleet.Metres(100)},
		}},
		{"a late fix closes a gap", []fleet.Fix{stand(0, 0), stand(400, 0), stand(200, 0)}, map[int64]fleet.Motion{
			0: {Fixes: 2, Pairs: 1, Time: 300_000},
			1: {Fixes: 1, Pairs: 1, Time: 100_000},
		}},
	} {
		got := motions(test.fixes...)
		for w, m := range got {
			m.Distance, m.Way = fleet.Metres(math.Round(m.Distance.Metres()*1000)/1000), fleet.Metres(math.Round(m.Way.Metres()*1000)/1000)
			got[w] = m
		}
		if !maps.Equal(got, test.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.name, got, test.want)
		}
	}
}

// What the vehicle says of itself is summed over the same pairs, if both fixes say it.
func TestMotionBesideOdometerAndSpeed(t *testing.T) {
	says := func(f fleet.Fix, odometer, speed float64) fleet.Fix {
		f.Odometer, f.Speed = &odometer, &speed
		return f
	}
	got := motions(stand(0, 0), says(stand(10, 100), 1000, 4), says(stand(20, 200), 1104, 6))[0]
	if got.Odometer != fleet.Metres(104) || math.Abs(got.OdometerDistance.Metres()-100) > 0.001 || got.OdometerTime != 10_000 ||
		got.Reported != fleet.Metres(50) || got.ReportedTime != 10_000 {
		t.Errorf("motion is %+v, want an odometer of 104 m and reported 50 m in 10 s", got)
	}
}

// TestMotionInAnyOrder: the same fixes give the same sums, to the last digit, in whatever order they arrive.
func TestMotionInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var fixes []fleet.Fix
		for second := int64(0); len(fixes) < 40; second += 1 + random.Int64N(120) + 300*random.Int64N(12)/11 {
			f := stand(second, random.Float64()*3000)
			f.Odometer, f.Speed = new(random.Float64()*1e6), new(random.Float64()*30)
			fixes = append(fixes, f)
		}
		want := motions(fixes...)
		random.Shuffle(len(fixes), func(i, j int) { fixes[i], fixes[j] = fixes[j], fixes[i] })
		got := motions(fixes...)
		maps.DeleteFunc(got, func(_ int64, m fleet.Motion) bool { return m == fleet.Motion{} }) // taken back
		if !maps.Equal(got, want) {
			t.Fatalf("in order %+v\nshuffled %+v", want, got)
		}
	}
}

func TestPositionSpeed(t *testing.T) {
	got := fleet.PositionSpeed{}.Add(fleet.Motion{Fixes: 1})
	if got.Speed != nil || got.MovingSpeed != nil || !got.Partial {
		t.Errorf("without time the speed is %+v, want none", got)
	}
	got = got.Add(fleet.Motion{Distance: fleet.Metres(2400), Time: 240_000, Way: fleet.Metres(2380), Moving: 119_000})
	if *got.Speed != 10 || *got.MovingSpeed != 20 || got.Covered != 0.8 || got.Partial {
		t.Errorf("speed is %v, moving %v, covered %v, partial %v; want 10, 20, 0.8, false", *got.Speed, *got.MovingSpeed, got.Covered, got.Partial)
	}
}

func TestQuantitiesInJSON(t *testing.T) {
	m := fleet.Motion{Fixes: 1, Distance: fleet.Metres(-1234.567891), Time: 299_999}
	encoded, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"posicoes":1,"metros":-1234.567891,"segundos":299.999,"segundosAndando":0,"metrosAndando":0,"pares":0}`; string(encoded) != want {
		t.Errorf("encoded as %s, want %s", encoded, want)
	}
	var back fleet.Motion
	if err := json.Unmarshal(encoded, &back); err != nil || back != m {
		t.Errorf("read back as %+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"metros":"far"}`), &back); err == nil {
		t.Error("a text is read as a length")
	}
}
