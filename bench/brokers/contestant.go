package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/broker"
)

// server is a broker in a process of its own that keeps its data in one directory. It can be started again after stop and
// kill, and finds its data.
type server interface {
	// start returns when the broker leads that many partitions, and says how long that took, from the start of its process.
	start(ctx context.Context, partitions int) (time.Duration, error)
	addr() string
	pid() int
	stop() error // a clean end
	kill() error // kill -9
}

// contestant is one way to run a broker.
type contestant struct {
	name  string
	rival string // to whom it is compared
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
	return contestant{}, fmt.Errorf("there is no contestant %q", name)
}
