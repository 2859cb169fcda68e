package runner_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rio-streams/rio/internal/paralleltest"
	"github.com/rio-streams/rio/runner"
)

var kills = flag.Int("kills", 5, "how often TestKilledProcessesLoseNothing kills")

// TestMain runs the tests or, in a child process, the word count.
func TestMain(m *testing.M) {
	if os.Getenv("RIO_TEST_CHILD") != "" {
		child()
		return
	}
	paralleltest.Raise(16)
	goleak.VerifyTestMain(m)
}

// child runs the word count until SIGTERM, or until it is killed.
func child() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	top, err := named(os.Getenv("RIO_TEST_APP")).wordCount()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	go func() { // the parent has died when standard input ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(2)
	}()
	err = runner.Run(ctx, top, runner.Config{
		Brokers: []string{os.Getenv("RIO_TEST_CHILD")}, Dir: os.Getenv("RIO_TEST_DIR"), CreateTopics: true,
		Workers: 2, SessionTimeout: 6 * time.Second, CommitInterval: 20 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is a child that runs the word count.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
}

func (c *cluster) startProcess(dir string) *process {
	c.t.Helper()
	log, err := os.OpenFile(filepath.Join(dir, "process.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RIO_TEST_CHILD="+c.addr, "RIO_TEST_APP="+c.app, "RIO_TEST_DIR="+dir)
	cmd.Stderr = log
	if _, err := cmd.StdinPipe(); err != nil {
		c.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { // only needed after a failed test
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if c.t.Failed() {
			c.t.Logf("%s:\n%s", log.Name(), tail(log.Name()))
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != "ready" {
		c.t.Fatalf("the process does not start: %q, %v; see %s", line, err, log.Name())
	}
	return &process{c.t, cmd}
}

// tail returns the end of a file.
func tail(name string) []byte {
	text, _ := os.ReadFile(name)
	return text[max(0, len(text)-20_000):]
}

// end sends a signal and waits for the process to end.
func (p *process) end(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	err := p.cmd.Wait()
	if sig == syscall.SIGTERM && err != nil {
		p.t.Errorf("after SIGTERM the process ends with %v", err)
	}
}

// Two processes share the work. In turn, they are killed at random moments and restarted while records arrive. In the end
// every record has been counted exactly once.
//
// Proves: exactly-once-crash (processes), all-or-nothing-commit (processes)
func TestKilledProcessesLoseNothing(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(*kills)*20*time.Second+time.Minute)
	defer cancel()
	dirs := []string{t.TempDir(), t.TempDir()}
	processes := []*process{c.startProcess(dirs[0]), c.startProcess(dirs[1])}

	want := map[string]int64{}
	feed := func() {
		c.send(c.lines.Name(), 4, "rio mar", "rio", "mar rio", "lago")
		want["rio"] += 3
		want["mar"] += 2
		want["lago"]++
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for kill := range *kills {
		// Kill the process after a random number of records, not after a random time.
		done := c.total()
		for range 1 + random.IntN(100) {
			feed()
		}
		some := done + int64(random.IntN(int(sum(want)-done)))
		c.await(ctx, func() bool { return c.total() >= some })
		victim := kill % 2
		processes[victim].end(syscall.SIGKILL)
		feed()
		processes[victim] = c.startProcess(dirs[victim])
	}
	c.await(ctx, func() bool {
		counts, _ := c.final()
		return maps.Equal(counts, want)
	})
	for _, p := range processes {
		p.end(syscall.SIGTERM)
	}
	counts, records := c.final()
	t.Logf("%d kills, %d counts compared", *kills, sum(want))
	if !maps.Equal(counts, want) || !maps.Equal(records, want) {
		t.Errorf("counts %v, numbers of records %v, want both %v", counts, records, want)
	}
}

// total returns how many words have been counted.
func (c *cluster) total() int64 {
	counts, _ := c.final()
	return sum(counts)
}

func sum(counts map[string]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}

// A process that is frozen until its tasks have moved and then continues changes nothing.
//
// Proves: zombie-changes-nothing (processes), processes-share-the-work (processes)
func TestAZombieChangesNothing(t *testing.T) {
	long(t)
	if freeze == thaw {
		t.Skip("this system cannot freeze a process")
	}
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	want := map[string]int64{}
	feed := func() {
		c.send(c.lines.Name(), 2, "rio mar", "rio")
		want["rio"] += 2
		want["mar"]++
	}
	counted := func() bool {
		counts, _ := c.final()
		return maps.Equal(counts, want)
	}

	zombie := c.startProcess(t.TempDir())
	feed()
	c.await(ctx, counted)
	for range 50 { // freeze it while it is processing records
		feed()
	}
	if err := zombie.cmd.Process.Signal(freeze); err != nil {
		t.Fatal(err)
	}
	heir := c.startProcess(t.TempDir())
	c.await(ctx, counted)
	if err := zombie.cmd.Process.Signal(thaw); err != nil {
		t.Fatal(err)
	}
	c.awaitMembers(ctx, 2) // it has noticed and rejoined
	for range 10 {
		feed()
	}
	c.await(ctx, counted)
	zombie.end(syscall.SIGTERM)
	heir.end(syscall.SIGTERM)
	if counts, records := c.final(); !maps.Equal(counts, want) || !maps.Equal(records, want) {
		t.Errorf("counts %v, numbers of records %v, want both %v", counts, records, want)
	}
}
