package broker_test

import (
	"testing"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
)

// broken is what kfake is known to do wrong. The next engine has no such list.
var broken = kafkatest.Known{
	"admin/an unknown setting is refused":          "kfake keeps any setting of a topic",
	"admin/a value that makes no sense is refused": "kfake does not look at the values of settings",
	"admin/negative partitions are refused":        "kfake takes any negative number for the default",
	"admin/a compacted topic needs keys":           "kfake does not look into records",
	"groups/turmoil":                               "kfake loses count of who joins when members vanish, about once in 15 runs under load: a join stays without an answer",
}

func TestBrokerInMemory(t *testing.T) {
	kafkatest.Run(t, func(t *testing.T) kafka.Config {
		return kafka.Config{Brokers: []string{start(t, broker.Config{}).Addr()}}
	}, broken)
}

func TestBrokerOnDisk(t *testing.T) {
	kafkatest.Run(t, func(t *testing.T) kafka.Config {
		return kafka.Config{Brokers: []string{start(t, broker.Config{DataDir: t.TempDir()}).Addr()}}
	}, broken)
}
