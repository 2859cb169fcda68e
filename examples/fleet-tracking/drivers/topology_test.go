package drivers_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/topologytest"
)

// TestTopology has two drivers on one vehicle, a drive past midnight, limits that are known and not, and late fixes.
func TestTopology(t *testing.T) {
	zone, err := time.LoadLocation("America/Maceio")
	if err != nil {
		t.Fatal(err)
	}
	top, err := drivers.New(drivers.Config{Zone: zone, Limits: drivers.Limits{Vehicles: map[string]float64{"V1": 60}}})
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, "testdata/motoristas", top, topologytest.Config{})
}

// TestConfig gives settings that make no sense. The error names each.
func TestConfig(t *testing.T) {
	_, err := drivers.New(drivers.Config{
		Limits: drivers.Limits{
			Fleet: math.NaN(), Vehicles: map[string]float64{"V1": 0}, Routes: map[string]float64{"12": -40, "13": 40},
		},
		Tolerance: math.Inf(1), Late: -time.Hour, Keep: time.Minute,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"limit of the fleet: NaN is not a speed", "limit of vehicle V1: 0 is not", "limit of route 12: -40 is not", "Tolerance is +Inf", "Late is -1h0m0s",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "route 13") {
		t.Errorf("a limit that is right is named: %v", err)
	}
	if _, err := drivers.New(drivers.Config{Keep: 24 * time.Hour}); err == nil || !strings.Contains(err.Error(), "less than Late") {
		t.Errorf("figures that end before late fixes come: %v", err)
	}
}

// TestTopicConfig turns settings of the topic into the time for which figures are kept, and back.
func TestTopicConfig(t *testing.T) {
	for _, keep := range []time.Duration{-1, drivers.DefaultKeep, drivers.DefaultLate} {
		if got, err := drivers.KeptFor(drivers.Config{Keep: keep}.TopicConfig()); err != nil || got != keep {
			t.Errorf("kept for %v, %v, want %v", got, err, keep)
		}
	}
	for _, test := range []struct {
		policy, ms string
		want       time.Duration
	}{
		{"compact", "1000", -1}, {"delete", "-1", -1}, {"compact,delete", "9223372036854775807", -1}, {"compact,delete", "1000", drivers.DefaultLate},
	} {
		if got, err := drivers.KeptFor(map[string]string{"cleanup.policy": test.policy, "retention.ms": test.ms}); err != nil || got != test.want {
			t.Errorf("%v is kept for %v, %v", test, got, err)
		}
	}
	if _, err := drivers.KeptFor(map[string]string{"cleanup.policy": "delete"}); err == nil || !strings.Contains(err.Error(), "motoristas-dia") {
		t.Errorf("without a retention: %v", err)
	}
}
