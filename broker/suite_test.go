package broker_test

import (
	"testing"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
)

// Proves: speaks-kafka
func TestBrokerInMemory(t *testing.T) {
	t.Parallel()
	kafkatest.Run(t, func(t *testing.T) kafka.Config {
		t.Parallel() // each theme has its own broker
		return kafka.Config{Brokers: []string{start(t, broker.Config{}).Addr()}}
	})
}

// Proves: speaks-kafka
func TestBrokerOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite has run with the log in memory")
	}
	t.Parallel()
	kafkatest.Run(t, func(t *testing.T) kafka.Config {
		t.Parallel()
		dir := t.TempDir()
		t.Cleanup(func() { checked(t, dir) }) // after the broker is closed
		return kafka.Config{Brokers: []string{start(t, broker.Config{DataDir: dir}).Addr()}}
	})
}

// checked checks a data directory and fails the test for every problem.
func checked(t *testing.T, dir string) broker.CheckSummary {
	t.Helper()
	summary, err := broker.Check(dir, func(problem string) { t.Error("check: " + problem) })
	if err != nil {
		t.Fatal(err)
	}
	return summary
}
