package main

import (
	"maps"
	"testing"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
)

// TestContestantsAgree runs every contestant on the same positions and compares the results. Measurements are only
// comparable if all contestants do the same work.
func TestContestantsAgree(t *testing.T) {
	b, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const records = 2_000
	f := fleet{vehicles: 50}
	if _, err := fill(t.Context(), client, "positions", 3, f, records); err != nil {
		t.Fatal(err)
	}
	want := map[string]Vehicle{}
	for i := range records {
		key := string(f.key(i))
		want[key] = want[key].Add(f.position(i))
	}
	for _, c := range contestants {
		t.Run(c.name, func(t *testing.T) {
			j := job{
				Contestant: c.name, Brokers: []string{b.Addr()}, Topic: "positions", Records: records,
				Application: "test-" + c.name, Dir: t.TempDir(),
				Vehicles: f.vehicles, KeyBy: c.keyBy,
			}
			if c.sink {
				j.Sink = "updates"
			}
			_, got, err := do(t.Context(), j)
			if err == nil && c.table != nil {
				got, err = tableOf(t.Context(), client, j)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, want) {
				t.Errorf("%d vehicles differ from the %d expected ones: %v", len(got), len(want), got)
			}
		})
	}
}

// BenchmarkDecode measures the decoding that every contestant must do with encoding/json.
func BenchmarkDecode(b *testing.B) {
	value, err := fleet{vehicles: 5_000}.value(4_711)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.JSON[Position]().Decode(value); err != nil {
			b.Fatal(err)
		}
	}
}
