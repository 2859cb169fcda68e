package cases

import (
	"bytes"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit bounds how long a test waits for a condition.
const limit = 45 * time.Second

// instance is a running program.
type instance struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	log   bytes.Buffer
}

// Write appends output of the program to its log.
func (i *instance) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.log.Write(p)
}

// logged returns the log so far.
func (i *instance) logged() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.log.String()
}

// start starts a program and kills it at the end of the test.
func (m *module) start(t *testing.T, program string, args ...string) *instance {
	t.Helper()
	i := &instance{t: t, cmd: m.command(program, args...), ended: make(chan struct{})}
	i.cmd.Stdout, i.cmd.Stderr = i, i
	must(t, i.cmd.Start())
	go func() {
		_ = i.cmd.Wait()
		close(i.ended)
	}()
	t.Cleanup(func() {
		_ = i.cmd.Process.Kill()
		<-i.ended
		if t.Failed() {
			t.Logf("log of %s %q:\n%s", program, args, i.logged())
		}
	})
	return i
}

// stop sends SIGTERM and checks that the instance ends in time.
func (i *instance) stop(within time.Duration) {
	i.t.Helper()
	began := time.Now()
	must(i.t, i.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-i.ended:
		i.t.Logf("ended %v after SIGTERM", time.Since(began).Round(10*time.Millisecond))
	case <-time.After(within):
		i.t.Errorf("alive %v after SIGTERM", within)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout, again := time.NewTimer(limit), time.NewTicker(100*time.Millisecond)
	defer timeout.Stop()
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-timeout.C:
			t.Fatalf("timed out after %v waiting for: %s", limit, what)
		}
	}
}
