package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/rio-streams/rio/broker"
)

// rioProcess is the argument by which this program knows that it shall be a broker: its directory and its durability follow.
const rioProcess = "rio-broker"

func isRioProcess(args []string) bool { return len(args) == 4 && args[1] == rioProcess }

// rioMain is the process of Rio's broker: it prints its address and runs until its standard input ends, so that it never
// outlives who started it.
func rioMain(args []string) error {
	b, err := broker.Start(broker.Config{DataDir: args[2], Durability: broker.Durability(args[3])})
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, b.Close())
}

// rioServer is Rio's broker: this program, run again.
type rioServer struct {
	dir        string
	durability broker.Durability

	address string
	cmd     *exec.Cmd
	stdin   io.Closer
}

func rio(durability broker.Durability) func(settings, string) server {
	return func(_ settings, dir string) server { return &rioServer{dir: dir, durability: durability} }
}

func (r *rioServer) start(ctx context.Context, partitions int) (time.Duration, error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	r.cmd = exec.Command(exe, rioProcess, r.dir, string(r.durability))
	r.cmd.Stderr = os.Stderr
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		return 0, err
	}
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	started := time.Now()
	if err := r.cmd.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return 0, errors.Join(fmt.Errorf("the broker did not start: %w", err), r.stop())
	}
	r.address = strings.TrimSpace(line)
	if err := awaitPartitions(ctx, r.address, partitions); err != nil {
		return 0, errors.Join(err, r.stop())
	}
	return time.Since(started), nil
}

func (r *rioServer) addr() string { return r.address }

func (r *rioServer) pid() int { return r.cmd.Process.Pid }

func (r *rioServer) stop() error { return errors.Join(r.stdin.Close(), r.cmd.Wait()) }

func (r *rioServer) kill() error {
	if err := r.cmd.Process.Kill(); err != nil {
		return err
	}
	r.cmd.Wait() // says that it was killed, and closes stdin
	return nil
}
