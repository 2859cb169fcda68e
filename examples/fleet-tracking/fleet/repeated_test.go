package fleet

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestRepeatedDetours(t *testing.T) {
	const day = 24 * 3600
	detour := func(run, days int, from, to float64) Detour {
		extra, first := 100.0, Seconds(1768561200+int64(days)*day)
		return Detour{
			Run: Run{Vehicle: fmt.Sprintf("onibus-%d", run), Route: "1", Trip: "t", Day: "20260116"}, Path: "p", First: first,
			Left: LinePlace{At: first, Along: from}, Back: &LinePlace{At: first, Along: to}, Extra: &extra,
		}
	}
	for name, c := range map[string]struct {
		detours []Detour
		want    []RepeatedDetour
	}{
		"three runs around one place": {
			[]Detour{detour(1, 0, 1000, 1400), detour(2, 3, 1100, 1500), detour(3, 13, 900, 1300)},
			[]RepeatedDetour{{
				From: Metres(1000), To: Metres(1400), Runs: 3,
				First: Seconds(1768561200), Last: Seconds(1768561200 + 13*day), Extra: Metres(300),
			}},
		},
		"two runs, one of them twice":    {[]Detour{detour(1, 0, 1000, 1400), detour(2, 0, 1000, 1400), detour(2, 1, 1000, 1400)}, nil},
		"three runs in 15 days":          {[]Detour{detour(1, 0, 1000, 1400), detour(2, 3, 1000, 1400), detour(3, 15, 1000, 1400)}, nil},
		"one overlaps by less than half": {[]Detour{detour(1, 0, 1000, 1400), detour(2, 3, 1000, 1400), detour(3, 4, 1210, 1700)}, nil},
		"two places": {
			[]Detour{
				detour(1, 0, 0, 100), detour(2, 0, 0, 100), detour(3, 0, 50, 100),
				detour(4, 0, 500, 600), detour(5, 0, 500, 600), detour(6, 0, 500, 600), detour(7, 0, 500, 600),
			},
			[]RepeatedDetour{
				{From: Metres(500), To: Metres(600), Runs: 4, First: Seconds(1768561200), Last: Seconds(1768561200), Extra: Metres(400)},
				{From: Metres(0), To: Metres(100), Runs: 3, First: Seconds(1768561200), Last: Seconds(1768561200), Extra: Metres(300)},
			},
		},
	} {
		random := rand.New(rand.NewPCG(1, 2))
		for range 5 {
			var line LineDetours
			for _, d := range c.detours {
				line = line.Apply(DetourChange{Value: d})
			}
			if got := line.Summary(); !reflect.DeepEqual(got.Detours, c.want) || got.LineKey != (LineKey{"1", "p"}) {
				t.Errorf("%s: found %+v, want %+v", name, got, c.want)
			}
			random.Shuffle(len(c.detours), func(i, j int) { c.detours[i], c.detours[j] = c.detours[j], c.detours[i] })
		}
	}
}
