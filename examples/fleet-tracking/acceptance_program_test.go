package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// programVariable makes the test binary be the program.
const programVariable = "FLEET_TRACKING_TEST_PROGRAM"

// place is where the program works: on a log of its own, which is empty at first, and with state beside it.
type place struct {
	data     string
	broker   string // its address
	embedded bool
}

// embedded is a place whose broker is in the program and lives as long.
func embedded(t *testing.T) place {
	t.Helper()
	return place{data: t.TempDir(), broker: freeAddress(t), embedded: true}
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// apache is a place on a Kafka that others use too. There is one at a time, because it has the names of the example.
func apache(t *testing.T, address string) place {
	t.Helper()
	forgetFleet(t, address)
	return place{data: t.TempDir(), broker: address}
}

func (at place) options() []string {
	if at.embedded {
		return []string{"-data", at.data, "-listen", at.broker}
	}
	return []string{"-data", at.data, "-brokers", at.broker}
}

// program is a process of the program.
type program struct {
	t      *testing.T
	at     place
	cmd    *exec.Cmd
	output bytes.Buffer    // to be read when the process has ended
	ended  context.Context // ends with the process
	err    error           // of its end
}

var errEnded = errors.New("the program has ended")

// start runs the program. With the test it ends, too.
func (at place) start(t *testing.T, args []string, more ...string) *program {
	t.Helper()
	return at.launch(t, slices.Concat(args, more, at.options()), 2*time.Minute)
}

// launch runs the program with nothing but the arguments, for some time at most.
func (at place) launch(t *testing.T, args []string, limit time.Duration) *program {
	t.Helper()
	timed, stop := context.WithTimeout(t.Context(), limit)
	p := &program{t: t, at: at, cmd: exec.CommandContext(timed, os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), programVariable+"=1", "TMPDIR="+t.TempDir())
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancelCause(timed)
	p.ended = ended
	waited := make(chan struct{})
	go func() {
		p.err = p.cmd.Wait()
		end(errEnded)
		close(waited)
	}()
	t.Cleanup(func() {
		stop()
		<-waited
	})
	return p
}

// succeed waits until the process has ended well.
func (p *program) succeed() {
	p.t.Helper()
	p.end()
	if p.err != nil {
		p.t.Fatalf("%v: %v\n%s", p.cmd.Args[1:], p.err, &p.output)
	}
	said, _, _ := strings.Cut(p.output.String(), "\nWritten to ")
	p.t.Log(said)
}

// kill ends the process in the middle of what it does, by a signal that it cannot notice.
func (p *program) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatalf("%v: kill: %v\n%s", p.cmd.Args[1:], err, &p.output)
	}
	p.end()
	if p.cmd.ProcessState.Exited() {
		p.t.Fatalf("%v: it ended before it was killed\n%s", p.cmd.Args[1:], &p.output)
	}
}

func (p *program) end() {
	p.t.Helper()
	<-p.ended.Done()
	if context.Cause(p.ended) != errEnded {
		p.t.Fatalf("%v: takes too long", p.cmd.Args[1:])
	}
}

// await waits until a topic, which may not exist yet, shows its readers so many records.
func (p *program) await(topic string, records int) {
	p.t.Helper()
	seen, err := p.at.read(p.ended, topic, records)
	if errors.Is(context.Cause(p.ended), errEnded) {
		p.t.Fatalf("%v: it ended (%v) at %d records in %s, before %d\n%s", p.cmd.Args[1:], p.err, seen, topic, records, &p.output)
	}
	if err != nil {
		p.t.Fatalf("%v: %d records in %s, want %d: %v", p.cmd.Args[1:], seen, topic, records, err)
	}
	p.t.Logf("%d records in %s", seen, topic)
}

func (at place) read(ctx context.Context, topic string, records int) (seen int, err error) {
	client, err := kafka.Dial(ctx, kafka.Config{Brokers: []string{at.broker}})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	var partitions int32
	err = retry(ctx, kafka.ErrUnknownTopic, func() error {
		partitions, err = client.Partitions(ctx, topic)
		return err
	})
	if err != nil {
		return 0, err
	}
	fetcher := client.NewFetcher(kafka.FetcherConfig{})
	defer fetcher.Close()
	for p := range partitions {
		fetcher.Add(kafka.TopicPartition{Topic: topic, Partition: p}, 0)
	}
	for seen < records {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			return seen, err
		}
		for _, f := range fetched {
			if f.Err != nil {
				return seen, f.Err
			}
			seen += len(f.Records)
		}
	}
	return seen, nil
}

// records counts those of each topic when no program runs.
func (at place) records(t *testing.T, topics ...string) []int {
	t.Helper()
	counts := make([]int, len(topics))
	at.readLog(t, func(r *reader) {
		for i, topic := range topics {
			r.takes[topic] = func(kafka.Record) error {
				counts[i]++
				return nil
			}
		}
	})
	return counts
}

// readLog reads the topics that declare names, to their ends, when no program runs.
func (at place) readLog(t *testing.T, declare func(*reader)) {
	t.Helper()
	if at.embedded {
		b, err := broker.Start(broker.Config{DataDir: filepath.Join(at.data, "log"), Listen: at.broker})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
	}
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{at.broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r := newReader(client, "")
	declare(r)
	if err := r.toEnd(t.Context(), kafka.Earliest); err != nil {
		t.Fatal(err)
	}
}

// forgetFleet deletes what the example leaves on a Kafka.
func forgetFleet(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // also after the test
	defer cancel()
	client, err := kafka.Dial(ctx, kafka.Config{Brokers: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	groups, err := client.Groups(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		group := g.Name
		if !slices.ContainsFunc(applications(t), func(name string) bool { return group == name || strings.HasPrefix(group, name+"-") }) {
			continue
		}
		// A process that was killed counts as a member until it has been silent for long enough.
		err := retry(ctx, kafka.ErrGroupNotEmpty, func() error { return client.DeleteGroup(ctx, group) })
		if err != nil && !errors.Is(err, kafka.ErrUnknownGroup) {
			t.Fatal(err)
		}
	}
	all, err := client.Topics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, topic := range all {
		if isOfFleet(t, topic.Name) {
			names = append(names, topic.Name)
		}
	}
	if err := client.DeleteTopics(ctx, names...); err != nil {
		t.Fatal(err)
	}
}

// applications are the names of all applications of the program. Those of a replay and the groups of inputs begin with the first.
func applications(t *testing.T) []string {
	t.Helper()
	names := []string{"fleet-tracking"}
	for _, c := range consumers(drivers.Config{}) {
		top, err := c.new()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, top.Name())
	}
	return names
}

func isOfFleet(t *testing.T, topic string) bool {
	t.Helper()
	named := append(tracking.ResultTopics(), tracking.Positions.Name(), tracking.Trips.Name(), tracking.Paths.Name(),
		tracking.Assignments.Name(), tracking.Deliveries.Name(), tracking.DeliveryRecords.Name())
	for _, c := range consumers(drivers.Config{}) {
		named = append(named, c.results...)
	}
	internal := func(application string) bool { return strings.HasPrefix(topic, application+"-") }
	return slices.Contains(named, strings.TrimPrefix(topic, replayCopy.prefix())) || slices.ContainsFunc(applications(t), internal)
}

// retry calls try until it does not fail with a passing error, or ctx ends.
func retry(ctx context.Context, passing error, try func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if !errors.Is(err, passing) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
