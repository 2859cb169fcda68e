// Package child runs Rio's broker in a child process, which executes the same program as its parent.
package child

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

// Serve runs the broker in the child process: it prints the broker's address and returns when standard input ends, so
// that the child never outlives its parent.
func Serve(cfg broker.Config) error {
	b, err := broker.Start(cfg)
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, b.Close())
}

// Process is a broker in a child process.
type Process struct {
	Addr  string // host:port
	cmd   *exec.Cmd
	stdin io.Closer
}

// Start starts this program again, with arguments that make it call Serve, and waits for the broker's address.
func Start(args ...string) (*Process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, args...)
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
	p := &Process{cmd: cmd, stdin: stdin}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the broker did not start: %w", err), p.Stop())
	}
	p.Addr = strings.TrimSpace(addr)
	return p, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop closes the broker and waits for the end of the process.
func (p *Process) Stop() error { return errors.Join(p.stdin.Close(), p.cmd.Wait()) }

// Kill ends the process at once.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	p.cmd.Wait() // returns an error because the process was killed; closes stdin
	return nil
}
