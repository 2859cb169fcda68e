package kafkatest_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Proves: speaks-kafka
func TestApacheKafka(t *testing.T) {
	address := os.Getenv("RIO_KAFKA")
	if address == "" {
		t.Skip("RIO_KAFKA is not set, so there is no Apache Kafka to test with; try: scripts/kafka run 0 go test ./kafka/kafkatest")
	}
	kafkatest.Run(t, func(*testing.T) kafka.Config { return kafka.Config{Brokers: []string{address}} })
}
