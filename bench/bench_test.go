package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"testing"
	"time"

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
	want := fillForTest(t, client, "positions")
	for _, c := range contestants {
		if c.run == nil {
			continue // see TestKafkaStreams
		}
		t.Run(c.name, func(t *testing.T) {
			j := job{
				Contestant: c.name, Brokers: []string{b.Addr()}, Topic: "positions", Records: testRecords,
				Application: "test-" + c.name, Dir: t.TempDir(),
				Vehicles: testFleet.vehicles, KeyBy: c.keyBy, Scraped: c.scraped,
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

const testRecords = 2_000

var testFleet = fleet{vehicles: 50}

// fillForTest fills a topic, and returns the table that every contestant must make of it.
func fillForTest(t *testing.T, client *kafka.Client, topic string) map[string]Vehicle {
	t.Helper()
	if _, err := fill(t.Context(), client, topic, 3, testFleet, testRecords); err != nil {
		t.Fatal(err)
	}
	want := map[string]Vehicle{}
	for i := range testRecords {
		key := string(testFleet.key(i))
		want[key] = want[key].Add(testFleet.position(i))
	}
	return want
}

// TestKafkaStreams: the contestant on Kafka Streams does the same work, on an Apache Kafka. The last bits of its distances may
// differ, because Java computes cosines in another way.
func TestKafkaStreams(t *testing.T) {
	address := os.Getenv("RIO_KAFKA")
	if address == "" {
		t.Skip("RIO_KAFKA is not set: run it by ../scripts/kafka run 0 go test .")
	}
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	id := fmt.Sprint(time.Now().UnixNano())
	want := fillForTest(t, client, "positions-"+id)
	c, err := contestantNamed("kafka-streams")
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := command(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	j := job{Contestant: c.name, Brokers: []string{address}, Topic: "positions-" + id, Records: testRecords, Application: "test-" + id, Dir: t.TempDir()}
	if _, err := spawn(cmd, j); err != nil {
		t.Fatal(err)
	}
	got, err := tableOf(t.Context(), client, j)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d vehicles, want %d", len(got), len(want))
	}
	for key, v := range want {
		g := got[key]
		if math.Abs(g.Meters-v.Meters) > 1e-6 {
			t.Errorf("%s has driven %v m, want %v", key, g.Meters, v.Meters)
		}
		if g.Meters = v.Meters; g != v {
			t.Errorf("%s is %+v, want %+v", key, g, v)
		}
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
