package broker_test

import (
	"testing"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
)


func TestBrokerInMemory(t *testing.T) {
	kafkatest.Run(t, func(t *testing.T) kafka.Config {
		return kafka.Config{Brokers: []string{start(t, broker.Config{}).Addr()}}
	})
}

func TestBrokerOnDisk(t *testing.T) {
	kafkatest.Run(t, func(t *testing.T) kafka.Config {
		return kafka.Config{Brokers: []string{start(t, broker.Config{DataDir: t.TempDir()}).Addr()}}
	})
}
