package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
)

// TestPythonPrograms: the programs in the directory python run beside this one. Its totals count what their producer sends, their
// consumer reads what its producer sends, and its consumer and theirs share the partitions, so that each sale is printed once.
func TestPythonPrograms(t *testing.T) {
	python := os.Getenv("RIO_PYTHON")
	if python == "" {
		t.Skip("set RIO_PYTHON to a python that has kafka-python and confluent-kafka: interop/clients/run install vendas makes one")
	}
	for _, programs := range []struct{ client, producer, consumer string }{
		{"kafka-python", "producer.py", "consumer.py"},                        // with the assignor range
		{"confluent-kafka", "confluent_producer.py", "confluent_consumer.py"}, // with the assignor cooperative-sticky
	} {
		t.Run(programs.client, func(t *testing.T) {
			t.Parallel()
			g := newMixedGroup(t, python, 4)
			if err := g.command(programs.producer).Run(); err != nil {
				t.Fatalf("%s: %v", programs.producer, err)
			}
			mustPrint(t, onceBySeller, "-brokers", g.broker.Addr(), "-totals")
			mustPrint(t, "sent 5 sales to comercial\n", "-brokers", g.broker.Addr(), "-produce")

			endPython := g.startPython(programs.consumer)
			for _, id := range []string{"50001", "50002", "50003", "50004", "50005"} {
				g.sent[id] = 2 // by both producers
			}
			g.awaitSales()

			endVendas := g.startVendas()
			g.awaitShares(map[string]int{"vendas": 2, "python": 2})
			g.send(20)
			g.awaitSales()
			g.wantPrinted(map[string]int{"vendas": 10, "python": 20})

			endPython()
			g.awaitShares(map[string]int{"vendas": 4})
			g.send(8)
			g.awaitSales()
			g.wantPrinted(map[string]int{"vendas": 18, "python": 20})

			endPython = g.startPython(programs.consumer)
			g.awaitShares(map[string]int{"vendas": 2, "python": 2})
			g.send(20)
			g.awaitSales()
			g.wantPrinted(map[string]int{"vendas": 28, "python": 30})

			endVendas()
			endPython()
			g.wantPrinted(map[string]int{"vendas": 28, "python": 30})
		})
	}
}

// A mixedGroup is a broker and the group meu-grupo, with members in Go and Python.
type mixedGroup struct {
	t      *testing.T
	python string
	broker *broker.Broker
	client *kafka.Client

	sent    map[string]int // how often each sale was sent
	printed map[string]int // how often each sale was printed
	by      map[string]int // how many sales each member printed
	lines   chan line
}

// A line is what a member printed.
type line struct{ member, text string }

func newMixedGroup(t *testing.T, python string, partitions int32) *mixedGroup {
	g := &mixedGroup{t: t, python: python, sent: map[string]int{}, printed: map[string]int{}, by: map[string]int{}, lines: make(chan line, 1000)}
	var err error
	if g.broker, err = broker.Start(broker.Config{DataDir: filepath.Join(t.TempDir(), "log")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.broker.Close() })
	if g.client, err = kafka.Dial(t.Context(), kafka.Config{Brokers: []string{g.broker.Addr()}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.client.Close() })
	if err := g.client.CreateTopics(t.Context(), kafka.TopicSpec{Name: Sales.Name(), Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
	return g
}

// command returns a Python program. Its standard error is shown if the test fails.
func (g *mixedGroup) command(program string) *exec.Cmd {
	cmd := exec.CommandContext(g.t.Context(), g.python, filepath.Join("python", program), "--brokers", g.broker.Addr())
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	g.t.Cleanup(func() {
		if g.t.Failed() {
			g.t.Logf("%s: %s", program, &stderr)
		}
	})
	return cmd
}

// startPython starts a consumer in Python. The returned function ends it.
func (g *mixedGroup) startPython(program string) (end func()) {
	g.t.Helper()
	cmd := g.command(program)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	read := g.read("python", stdout)
	return func() {
		g.t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			g.t.Error(err)
		}
		<-read
		if err := cmd.Wait(); err != nil {
			g.t.Errorf("%s: %v", program, err)
		}
	}
}

// startVendas starts the consumer of this program. The returned function interrupts it.
func (g *mixedGroup) startVendas() (end func()) {
	ctx, interrupt := context.WithCancel(g.t.Context())
	out, in := io.Pipe()
	read := g.read("vendas", out)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-brokers", g.broker.Addr(), "-consume", "-follow"}, in)
		in.Close()
	}()
	return func() {
		g.t.Helper()
		interrupt()
		<-read
		if err := <-ended; err != nil {
			g.t.Errorf("vendas -consume: %v", err)
		}
	}
}

// read passes on what a member prints. The returned channel is closed at its end.
func (g *mixedGroup) read(member string, r io.Reader) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			g.lines <- line{member, lines.Text()}
		}
	}()
	return done
}

// note counts the sale of a line.
func (g *mixedGroup) note(l line) {
	text := l.text
	if _, sale, vendas := strings.Cut(text, ": sale "); vendas {
		text = sale
	}
	id, _, _ := strings.Cut(text, " ")
	g.printed[id]++
	g.by[l.member]++
	if g.printed[id] > g.sent[id] {
		g.t.Errorf("sale %s was sent %d times, but %s printed it for the %dth time", id, g.sent[id], l.member, g.printed[id])
	}
}

// timeout bounds how long a test waits; only a failing test waits that long.
const timeout = 45 * time.Second

// awaitSales waits until every sale is printed as often as it was sent.
func (g *mixedGroup) awaitSales() {
	g.t.Helper()
	deadline := time.After(timeout)
	for {
		missing := slices.Collect(func(yield func(string) bool) {
			for id, n := range g.sent {
				if g.printed[id] < n && !yield(id) {
					return
				}
			}
		})
		if len(missing) == 0 {
			return
		}
		select {
		case l := <-g.lines:
			g.note(l)
		case <-deadline:
			g.t.Fatalf("nobody has printed the sales %v; members printed %v", missing, g.by)
		}
	}
}

// wantPrinted checks how many sales each member has printed.
func (g *mixedGroup) wantPrinted(want map[string]int) {
	g.t.Helper()
	for len(g.lines) > 0 {
		g.note(<-g.lines)
	}
	if fmt.Sprint(g.by) != fmt.Sprint(want) {
		g.t.Errorf("members printed %v sales, want %v", g.by, want)
	}
}

// awaitShares waits until the group is stable and its members have so many partitions.
func (g *mixedGroup) awaitShares(want map[string]int) {
	g.t.Helper()
	deadline := time.After(timeout)
	for ticker := time.Tick(20 * time.Millisecond); ; {
		described, err := g.client.DescribeGroup(g.t.Context(), group)
		if err != nil {
			g.t.Fatal(err)
		}
		shares := map[string]int{}
		for _, m := range described.Members {
			name := "python"
			if m.ClientID == "vendas" {
				name = "vendas"
			}
			shares[name] += len(m.Partitions)
		}
		if described.State == "Stable" && fmt.Sprint(shares) == fmt.Sprint(want) {
			return
		}
		select {
		case <-ticker:
		case <-deadline:
			g.t.Fatalf("group %s is %s, its members have %v partitions, want %v", group, described.State, shares, want)
		}
	}
}

// send sends n more sales, to one partition after the other.
func (g *mixedGroup) send(n int) {
	g.t.Helper()
	partitions, err := prepareTopic(g.t.Context(), g.client)
	if err != nil {
		g.t.Fatal(err)
	}
	p, err := g.client.NewProducer(g.t.Context(), kafka.ProducerConfig{})
	if err != nil {
		g.t.Fatal(err)
	}
	defer p.Close()
	for i := range n {
		id := strconv.Itoa(60000 + len(g.sent))
		g.sent[id] = 1
		sale := fmt.Sprintf(`{"vendaId":%q,"vendedor":"ana.silva","valor":10.00,"formaPagamento":"PIX"}`, id)
		if err := p.Send(Sales.Name(), int32(i)%partitions, kafka.Record{Value: []byte(sale)}); err != nil {
			g.t.Fatal(err)
		}
	}
	if err := p.Flush(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}
