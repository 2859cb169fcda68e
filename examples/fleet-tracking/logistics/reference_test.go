package logistics

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// The legs of a day of Kingston Transit, as an independent program found them, are summed up as it does. How many partitions there are, in
// which order the legs come, and that some are told twice, does not matter.
func TestKingston(t *testing.T) {
	dir := recordingtest.Dir(t, "reference")
	legs := readLegs(t, filepath.Join(dir, "kingston_positions_20260116_legs.csv"))
	hours := sumUpAll(t, legs, topologytest.Config{})

	rows := reporttest.Rows(t, filepath.Join(dir, "kingston_positions_20260116_legs_by_hour.csv"))
	if len(hours) != len(rows) {
		t.Errorf("%d hours of legs, want %d", len(hours), len(rows))
	}
	for _, r := range rows {
		s := hours[fleet.LegKey{From: r["from_stop"], To: r["to_stop"], Hour: int(r.Number(t, "hour"))}]
		n, measured := float64(s.Legs), float64(s.Measured)
		for column, got := range map[string]float64{
			"n": n, "driven_m_n": measured,
			"planned_s_mean": s.Planned.Seconds() / n, "driven_s_mean": s.Driven.Seconds() / n, "driven_s_median": s.Median.Seconds(),
			"lost_s_total": s.Lost.Seconds() / n, "planned_m_mean": s.PlannedMetres.Metres() / n, "driven_m_mean": s.Metres.Metres() / measured,
		} {
			want := r.Number(t, column)
			if column == "lost_s_total" {
				want /= n
			}
			if math.Abs(got-want) > 0.101 { // each leg is rounded to 0.1
				t.Errorf("%s of %v is %v, want %v", column, s.LegKey, got, want)
			}
		}
	}

	var again []fleet.Leg
	for _, l := range legs {
		early := l
		early.Driven -= 5
		again = append(again, early, l)
	}
	for name, other := range map[string]map[fleet.LegKey]fleet.LegSummary{
		"7 partitions":                  sumUpAll(t, legs, topologytest.Config{Partitions: 7, CommitEvery: 100}),
		"in another order":              sumUpAll(t, shuffled(legs), topologytest.Config{Partitions: 2}),
		"told twice, with another time": sumUpAll(t, again, topologytest.Config{Partitions: 3, CommitEvery: 7}),
	} {
		if !reflect.DeepEqual(other, hours) {
			t.Errorf("%s, the sums differ", name)
		}
	}
}

func shuffled(legs []fleet.Leg) []fleet.Leg {
	legs = append([]fleet.Leg(nil), legs...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(legs), func(i, j int) { legs[i], legs[j] = legs[j], legs[i] })
	return legs
}

// sumUpAll sends legs through the topology and returns the last summary of each hour.
func sumUpAll(t *testing.T, legs []fleet.Leg, cfg topologytest.Config) map[fleet.LegKey]fleet.LegSummary {
	t.Helper()
	d, err := topologytest.New(logistica(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var records []processor.Record[string, fleet.Leg]
	for _, l := range legs {
		records = append(records, processor.Record[string, fleet.Leg]{Key: l.Vehicle, Value: l, Timestamp: int64(l.Arrived)})
	}
	if err := topologytest.Send(d, tracking.Legs, records...); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	return latest(t, d, LegHours)
}

func latest[K comparable, V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[K, V]) map[K]V {
	t.Helper()
	records, err := topologytest.Read(d, topic)
	if err != nil {
		t.Fatal(err)
	}
	all := map[K]V{}
	for _, r := range records {
		all[r.Key] = r.Value
	}
	return all
}

func readLegs(t *testing.T, path string) (legs []fleet.Leg) {
	t.Helper()
	for i, r := range reporttest.Rows(t, path) {
		left := fleet.Seconds(1768585200 + 10*int64(i))
		metres := r.Number(t, "driven_m")
		leg := fleet.Leg{
			Run:          fleet.Run{Vehicle: r["vehicle"], Trip: r["trip"], Day: r["service_day"]},
			FromSequence: int(r.Number(t, "from_sequence")), ToSequence: int(r.Number(t, "to_sequence")),
			From: r["from_stop"], To: r["to_stop"], Hour: int(r.Number(t, "hour")),
			Left: left, Arrived: left + fleet.Instant(math.Round(1000*r.Number(t, "driven_s"))),
			Planned: r.Number(t, "planned_s"), Driven: r.Number(t, "driven_s"), PlannedMetres: r.Number(t, "planned_m"), DrivenMetres: &metres,
		}
		legs = append(legs, leg)
	}
	return legs
}
