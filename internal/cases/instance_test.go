package cases

import (
	"bytes"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit bounds how long a test waits for something that takes seconds.
const limit = 45 * time.Second

// instance is a running program.
type instance struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	log   bytes.Buffer
}

// Write takes what the program logs.
func (i *instance) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.log.Write(p)
}

func (i *instance) said() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.log.String()
}

// start runs a program, which is killed with the test.
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
			t.Logf("%s %q said:\n%s", program, args, i.said())
		}
	})
	return i
}

// stop sends SIGTERM, after which the instance must end within a time.
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
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
