package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/rio-streams/rio/broker"
)

// brokerMain is the process of the broker: it prints its address and runs until its standard input ends, so that it
// never outlives who started it.
func brokerMain(dir string) error {
	b, err := broker.Start(broker.Config{DataDir: dir})
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, b.Close())
}

// brokerProcess is a broker beside this process.
type brokerProcess struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startBroker runs this program again as a broker with its log in dir.
func startBroker(dir string) (*brokerProcess, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, "broker", dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &brokerProcess{cmd: cmd, stdin: stdin}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the broker did not start: %w", err), b.close())
	}
	b.addr = strings.TrimSpace(addr)
	return b, nil
}

func (b *brokerProcess) close() error {
	return errors.Join(b.stdin.Close(), b.cmd.Wait())
}
