package kafka_test

import (
	"testing"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
)

func TestStickyAssignor(t *testing.T) {
	kafkatest.RunAssignor(t, kafkatest.AssignorSubject{
		Assignor: kafka.NewStickyAssignor(), Units: [][]string{{"orders"}, {"clicks"}, {"alone"}},
	})
}
