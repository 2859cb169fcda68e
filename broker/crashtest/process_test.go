package crashtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
)

// Environment variables of a child process.
const (
	childAddress    = "RIO_TEST_BROKER"
	childDir        = "RIO_TEST_DIR"
	childDurability = "RIO_TEST_DURABILITY"
	childFiles      = "RIO_TEST_FILES"
)

// childConfig returns the configuration of the broker in the child process.
func childConfig() broker.Config {
	return broker.Config{
		DataDir:    os.Getenv(childDir),
		Listen:     os.Getenv(childAddress),
		Durability: broker.Durability(os.Getenv(childDurability)),
		Logger:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
}

// child runs a broker until it is killed, until SIGTERM, or until its standard input ends because the parent process has died.
func child() {
	if files, err := strconv.ParseUint(os.Getenv(childFiles), 10, 64); err == nil {
		if err := limitFiles(files); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	b, err := broker.Start(childConfig())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(2)
	}()
	<-stop
	if err := b.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

// process is a broker process that can be killed and restarted with the same directory and port.
type process struct {
	t       *testing.T
	dir     string
	address string
	log     string // the name of its log file
	files   int    // how many files it may open; 0 for as many as this process
	user    uint32 // the user that runs it; 0 for the user that runs this process

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
}

// newProcess returns a process that is not started yet.
func newProcess(t *testing.T, dir string) *process {
	p := &process{t: t, dir: filepath.Join(dir, "data"), address: freeAddress(t), log: filepath.Join(t.ArtifactDir(), "broker.log")}
	t.Cleanup(func() {
		if p.cmd != nil && t.Failed() {
			_ = p.cmd.Process.Signal(syscall.SIGQUIT) // dumps its goroutines to the log
			<-p.ended
		}
		p.kill()
		if t.Failed() {
			text, _ := os.ReadFile(p.log)
			t.Logf("the beginning and the end of the broker's log (-artifacts keeps it):\n%s", ends(text, 4_000))
		}
	})
	return p
}

// ends returns the beginning and the end of a long text.
func ends(text []byte, size int) string {
	if len(text) <= 2*size {
		return string(text)
	}
	return fmt.Sprintf("%s\n[…]\n%s", text[:size], text[len(text)-size:])
}

// freeAddress finds a free port below the range of ephemeral ports. With an ephemeral port, a client that dials while the
// broker is down could get the same port for its own end and connect to itself.
func freeAddress(t *testing.T) string {
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

// start starts the process without waiting until the broker is ready.
func (p *process) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(os.Args[0])
	if *command != "" {
		p.cmd = exec.Command(*command, p.address, p.dir)
	}
	p.cmd.Env = append(os.Environ(), childAddress+"="+p.address, childDir+"="+p.dir, childDurability+"="+*durability)
	if p.files > 0 {
		p.cmd.Env = append(p.cmd.Env, fmt.Sprint(childFiles, "=", p.files))
	}
	p.cmd.Stderr = log
	if p.user != 0 {
		p.runAs(p.user)
	}
	if _, err := p.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(p.cmd, p.ended)
}

// startTimeout is how long a start may take; normally it takes a fraction of a second.
const startTimeout = time.Minute

// serve starts the process, waits until the broker is ready, and returns how long that took.
func (p *process) serve() time.Duration {
	p.t.Helper()
	began := time.Now()
	p.start()
	ctx, cancel := context.WithTimeout(p.t.Context(), startTimeout)
	defer cancel()
	go func(ended chan struct{}) {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}(p.ended)
	client := newClient(ctx, p.t, p.address)
	defer client.Close()
	for !answers(ctx, client) {
		switch {
		case !p.alive():
			p.t.Fatal("the broker ended during startup")
		case ctx.Err() != nil:
			p.t.Fatalf("the broker is not ready within %v after its start", startTimeout)
		}
	}
	return time.Since(began)
}

// startHalf starts the process and dials it a number of times, but does not wait until the broker is ready.
func (p *process) startHalf(dials int) {
	p.t.Helper()
	p.start()
	for range dials {
		if conn, err := net.Dial("tcp", p.address); err == nil {
			conn.Close()
			return
		}
	}
}

// kill ends the process with SIGKILL.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// endTimeout is how long a process may take to end; a stop on a full disk takes five seconds.
const endTimeout = 20 * time.Second

// mustEnd waits until the process has ended by itself, and returns its exit code.
func (p *process) mustEnd() int {
	p.t.Helper()
	timeout := time.NewTimer(endTimeout)
	defer timeout.Stop()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-timeout.C:
		p.t.Fatalf("the broker has not ended after %v", endTimeout)
		return 0
	}
}

// mustFail starts the process and checks that it ends by itself with code 1, and that its log contains the reasons.
func (p *process) mustFail(reasons ...string) {
	p.t.Helper()
	if err := os.Truncate(p.log, 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatal(err)
	}
	p.start()
	if code := p.mustEnd(); code != 1 {
		p.t.Errorf("the broker ended with code %d, want 1", code)
	}
	for _, reason := range reasons {
		if !p.hasSaid(reason) {
			p.t.Errorf("the log of the broker does not contain %q", reason)
		}
	}
}

// hasSaid reports whether the log contains a text.
func (p *process) hasSaid(text string) bool {
	p.t.Helper()
	log, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return bytes.Contains(log, []byte(text))
}

// stop sends SIGTERM, and returns the exit code.
func (p *process) stop() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return p.mustEnd()
}

// alive reports whether the process is running.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// newest returns the most recently written file of the write-ahead log below the data directory.
func (p *process) newest() (newest string) {
	p.t.Helper()
	var last time.Time
	err := filepath.WalkDir(p.dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".log" {
			return err
		}
		info, err := entry.Info()
		if err == nil && !info.ModTime().Before(last) { // of two files of the same age, take the later name
			newest, last = name, info.ModTime()
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return newest
}
