package main

import (
	"context"
	"errors"
	"time"

	"github.com/rio-streams/rio/bench/child"
	"github.com/rio-streams/rio/broker"
)

// rioProcess is the argument that makes this program run a broker. The directory and the durability follow it.
const rioProcess = "rio-broker"

func isRioProcess(args []string) bool { return len(args) == 4 && args[1] == rioProcess }

// rioMain is the main function of the process of Rio's broker.
func rioMain(args []string) error {
	return child.Serve(broker.Config{DataDir: args[2], Durability: broker.Durability(args[3])})
}

// rioServer is Rio's broker: a child process that runs this program.
type rioServer struct {
	dir        string
	durability broker.Durability
	process    *child.Process
}

func rio(durability broker.Durability) func(settings, string) server {
	return func(_ settings, dir string) server { return &rioServer{dir: dir, durability: durability} }
}

func (r *rioServer) start(ctx context.Context, partitions int) (_ time.Duration, err error) {
	started := time.Now()
	if r.process, err = child.Start(rioProcess, r.dir, string(r.durability)); err != nil {
		return 0, err
	}
	if err := awaitPartitions(ctx, r.addr(), partitions); err != nil {
		return 0, errors.Join(err, r.stop())
	}
	return time.Since(started), nil
}

func (r *rioServer) addr() string { return r.process.Addr }

func (r *rioServer) pid() int { return r.process.PID() }

func (r *rioServer) stop() error { return r.process.Stop() }

func (r *rioServer) kill() error { return r.process.Kill() }
