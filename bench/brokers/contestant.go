package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/broker"
)

// server is a broker process that keeps its data in one directory. It can be restarted after stop and kill with the
// same data.
type server interface {
	// start starts the process and waits until the broker leads the given number of partitions. It returns the time
	// from the start of the process.
	start(ctx context.Context, partitions int) (time.Duration, error)
	addr() string
	pid() int
	stop() error // ends the process cleanly
	kill() error // kill -9
}

// contestant is one way to run a broker.
type contestant struct {
	name  string
	rival string // the contestant with which it is compared
	serve func(s settings, dir string) server
}

var contestants = []contestant{
	{name: "rio-os", rival: "kafka", serve: rio(broker.OS)},
	{name: "kafka", serve: kafka("")},
	{name: "rio-fsync", rival: "kafka-fsync", serve: rio(broker.Fsync)},
	{name: "kafka-fsync", serve: kafka("log.flush.interval.messages=1\n")},
}

func contestantNamed(name string) (contestant, error) {
	for _, c := range contestants {
		if c.name == name {
			return c, nil
		}
	}
	return contestant{}, fmt.Errorf("unknown contestant %q", name)
}
