package broker_test

import (
	"testing"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
)

// broken is what kfake is known to do wrong. The next engine has no such list.
var broken = kafkatest.Known{}

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
