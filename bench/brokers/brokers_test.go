package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
)

// tiny is a load that takes a second or two.
var tiny = load{small: 2_000, large: 200, warmUp: 100, duration: 100 * time.Millisecond, rate: 100, topics: 2}

// TestMain lets the test program also act as Rio's broker.
func TestMain(m *testing.M) {
	if isRioProcess(os.Args) {
		if err := rioMain(os.Args); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestTrial runs all steps against Rio, with both durabilities.
func TestTrial(t *testing.T) {
	for _, name := range []string{"rio-os", "rio-fsync"} {
		t.Run(name, func(t *testing.T) {
			c, err := contestantNamed(name)
			if err != nil {
				t.Fatal(err)
			}
			reported := 0
			measured, err := try(t.Context(), c, settings{load: tiny}, filepath.Join(t.TempDir(), "data"), func(figure) { reported++ })
			if err != nil {
				t.Fatal(err)
			}
			if reported != len(measured) {
				t.Errorf("%d figures were passed to the callback, but %d are in the result", reported, len(measured))
			}
			for _, f := range measured {
				coarse := strings.HasSuffix(f.name, "CPU") || f.unit == "processors" // a duration below the clock's resolution is shown as 0
				if f.value < 0 || f.value == 0 && !coarse {
					t.Errorf("%s: %v %s", f.name, f.value, f.unit)
				}
			}
		})
	}
}

// TestWorkOnKafka runs the client's part against a real Apache Kafka.
func TestWorkOnKafka(t *testing.T) {
	addr := os.Getenv("RIO_KAFKA")
	if addr == "" {
		t.Skip("RIO_KAFKA is not set: run it by ../../scripts/kafka run 0 go test .")
	}
	b := target{addr: addr, cpu: func() (time.Duration, error) { return 0, nil }}
	topic := fmt.Sprintf("brokers-%d", time.Now().UnixNano())
	if err := work(t.Context(), b, topic); err != nil {
		t.Fatal(err)
	}
}

func work(ctx context.Context, b target, topic string) error {
	if err := b.createTopics(ctx, partitions, topic, topic+"-single", topic+"-transactions"); err != nil {
		return err
	}
	if _, err := b.produce(ctx, topic, tiny.small, smallValue); err != nil {
		return err
	}
	if _, err := b.fetch(ctx, topic, tiny.small); err != nil {
		return err
	}
	if _, err := b.single(ctx, topic+"-single", tiny.rate, tiny.duration); err != nil {
		return err
	}
	_, err := b.transact(ctx, topic+"-transactions", tiny.duration)
	return err
}

// TestFetchCounts: a fetch fails if there is one record too many, as after a duplicated append.
func TestFetchCounts(t *testing.T) {
	s := rio(broker.OS)(settings{}, t.TempDir())
	if _, err := s.start(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	b := target{addr: s.addr(), cpu: func() (time.Duration, error) { return cpuOf(s.pid()) }}
	if err := b.createTopics(t.Context(), partitions, "topic"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.produce(t.Context(), "topic", 100, smallValue); err != nil {
		t.Fatal(err)
	}
	if _, err := b.fetch(t.Context(), "topic", 100); err != nil {
		t.Error(err)
	}
	if _, err := b.fetch(t.Context(), "topic", 99); err == nil {
		t.Error("a topic with 100 records was accepted as one with 99")
	}
}

func TestValuesHaveTheirSize(t *testing.T) {
	for _, size := range []int{smallValue, largeValue} {
		for _, v := range values(size) {
			if len(v) != size {
				t.Fatalf("%d bytes, want %d: %s", len(v), size, v)
			}
		}
	}
}

func TestReport(t *testing.T) {
	runs := results{}
	for round, rates := range [][2]float64{{200, 100}, {300, 100}, {100, 100}} {
		runs.add("rio-os", round, figures{{"produce", "MB/s", rates[0]}, {"others", "CPUs", 1}})
		runs.add("kafka", round, figures{{"produce", "MB/s", rates[1]}, {"others", "CPUs", 0}})
	}
	var got strings.Builder
	if err := report(&got, []string{"rio-os", "kafka"}, runs); err != nil {
		t.Fatal(err)
	}
	const want = "" +
		"| figure  | unit | rio-os            | kafka             | rio-os ÷ kafka |\n" +
		"| ---     | ---  | ---:              | ---:              | ---:           |\n" +
		"| produce | MB/s | 200 (100..300)    | 100 (100..100)    | 2.00           |\n" +
		"| others  | CPUs | 1.00 (1.00..1.00) | 0.00 (0.00..0.00) | –              |\n"
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}
