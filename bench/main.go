// Bench compares Rio with the loop that one would write by hand, and with goka, on fleet-shaped work: JSON positions of
// about 100 bytes are read, decoded, and update one of 5,000 vehicles.
//
//	cd bench && go run . -rounds 3
//
//	loop        sarama in batches, encoding/json, a Go map; no state, no commits
//	loop-codec  the same with Rio's JSON codec
//	rio         exactly-once; the vehicles are kept in pebble and in a changelog
//	goka        at-least-once; the vehicles are kept in leveldb and in a group table
//
// On an Apache Kafka that scripts/kafka starts, Kafka Streams can also take part, exactly-once, with RocksDB and a
// changelog:
//
//	cd bench && ../scripts/kafka run 0 sh -c 'go run . -brokers $RIO_KAFKA -contestants rio,kafka-streams -rounds 5'
//
// Variants of Rio are rio-at-least-once; rio-sink, which also writes every update to a topic; rio-key-by, which moves
// every position through a repartition topic first; and rio-scraped, whose metrics are read once a second.
//
// The broker is Rio's, with its default durability: each commit waits for the disk. The broker and each run of a
// contestant have processes of their own. The measure is the CPU time (user and system) of the contestant's whole
// process, including its start and end, divided by the number of records. Unlike the elapsed time, it hardly depends on
// other programs. But it rises when others compete for caches and memory, so the contestants run in turn, and each is
// compared with the loop and with Rio in the same round. The report shows medians. A Java program needs more CPU time
// than a Go program to start and until its code is compiled, so use many records. After each run, the benchmark checks
// that the table has counted every record.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rio-streams/rio/bench/child"
	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "broker":
		signal.Ignore(os.Interrupt) // this process ends when its parent ends
		err = child.Serve(broker.Config{DataDir: os.Args[2]})
	case len(os.Args) == 2 && os.Args[1] == "contestant":
		err = contestantMain(ctx)
	default:
		err = benchMain(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the parsed flags.
type settings struct {
	brokers     string
	contestants string
	rounds      int
	records     int
	slowRecords int
	vehicles    int
	partitions  int
	workers     int
	cpuProfile  string
	allocs      string
}

func parse() settings {
	var s settings
	flag.StringVar(&s.brokers, "brokers", "", "host:port,… of a cluster; empty starts a broker in a process of its own")
	flag.StringVar(&s.contestants, "contestants", "loop,loop-codec,rio,rio-at-least-once,goka", "who takes part")
	flag.IntVar(&s.rounds, "rounds", 3, "runs of each contestant")
	flag.IntVar(&s.records, "records", 2_000_000, "records of the input topic")
	flag.IntVar(&s.slowRecords, "goka-records", 200_000, "records of goka's input topic")
	flag.IntVar(&s.vehicles, "vehicles", 5_000, "keys")
	flag.IntVar(&s.partitions, "partitions", 4, "partitions of the input topics")
	flag.IntVar(&s.workers, "workers", 0, "Rio's workers; 0 is its default")
	flag.StringVar(&s.cpuProfile, "cpuprofile", "", "directory for a CPU profile of each run")
	flag.StringVar(&s.allocs, "allocprofile", "", "directory for a profile of each run's allocations; slows them down")
	flag.Parse()
	return s
}

func benchMain(ctx context.Context) (err error) {
	s := parse()
	dir, err := os.MkdirTemp("", "rio-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	brokers := strings.Split(s.brokers, ",")
	if s.brokers == "" {
		b, err := child.Start("broker", filepath.Join(dir, "broker"))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.Stop()) }()
		brokers = []string{b.Addr}
	}
	client, err := kafka.Dial(ctx, kafka.Config{Brokers: brokers})
	if err != nil {
		return err
	}
	defer client.Close()
	t := &tournament{settings: s, brokers: brokers, client: client, dir: dir, id: time.Now().Format("150405"), runs: map[string][]measurement{}}
	return t.hold(ctx)
}

// tournament is one run of the benchmark.
type tournament struct {
	settings
	brokers []string
	client  *kafka.Client
	dir     string
	id      string // part of the names of topics and groups, so that a cluster can be used again
	runs    map[string][]measurement
}

func (t *tournament) hold(ctx context.Context) error {
	names := strings.Split(t.contestants, ",")
	size, err := t.prepare(ctx, names)
	if err != nil {
		return err
	}
	for round := range t.rounds {
		for _, name := range names {
			m, err := t.run(ctx, name, round)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			t.runs[name] = append(t.runs[name], m)
			fmt.Fprintf(os.Stderr, "round %d: %-18s %6.0f ns/record %9.0f records/s\n", round+1, name, m.perRecord(), m.rate())
		}
	}
	fmt.Printf("%s, %s %s/%s, GOMAXPROCS %d; %d keys, values of %d bytes, %d partitions, Rio commits every %v; median of %d\n",
		time.Now().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0),
		t.vehicles, size, t.partitions, commitInterval, t.rounds)
	return report(os.Stdout, names, t.runs)
}

func (t *tournament) topic(c contestant) (name string, records int) {
	if c.slow {
		return "positions-small-" + t.id, t.slowRecords
	}
	return "positions-" + t.id, t.records
}

// prepare fills the topics that the contestants need, and returns the mean size of a value.
func (t *tournament) prepare(ctx context.Context, names []string) (size int, err error) {
	filled := map[string]bool{}
	for i, name := range names {
		c, err := contestantNamed(name)
		if err != nil {
			return 0, err
		}
		topic, n := t.topic(c)
		if slices.Index(names, name) != i {
			return 0, fmt.Errorf("-contestants names %s twice", name)
		}
		if filled[topic] {
			continue
		}
		filled[topic] = true
		if size, err = fill(ctx, t.client, topic, int32(t.partitions), fleet{t.vehicles}, n); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// run runs a contestant once, in its own process, and checks its table.
func (t *tournament) run(ctx context.Context, name string, round int) (measurement, error) {
	c, err := contestantNamed(name)
	if err != nil {
		return measurement{}, err
	}
	unique := fmt.Sprintf("%s-%s-%d", name, t.id, round+1)
	j := job{Contestant: name, Brokers: t.brokers, Application: unique, Dir: filepath.Join(t.dir, unique), Workers: t.workers}
	j.Topic, j.Records = t.topic(c)
	j.Vehicles, j.KeyBy, j.Scraped = t.vehicles, c.keyBy, c.scraped
	if c.sink {
		j.Sink = unique + "-updates"
	}
	if t.cpuProfile != "" {
		j.Profile = filepath.Join(t.cpuProfile, unique+".cpu.prof")
	}
	if t.allocs != "" {
		j.Allocs = filepath.Join(t.allocs, unique+".allocs.prof")
	}
	cmd, err := command(ctx, c)
	if err != nil {
		return measurement{}, err
	}
	m, err := spawn(cmd, j)
	if err != nil {
		return m, err
	}
	if c.table != nil {
		table, err := tableOf(ctx, t.client, j)
		if err != nil {
			return m, err
		}
		m.Vehicles, m.outcome.Records = tally(table)
	}
	if m.outcome.Records != int64(j.Records) || m.Vehicles != min(t.vehicles, j.Records) {
		return m, fmt.Errorf("the table has %d records of %d vehicles, want %d of %d",
			m.outcome.Records, m.Vehicles, j.Records, min(t.vehicles, j.Records))
	}
	return m, os.RemoveAll(j.Dir)
}

// command returns the command that runs the jobs of a contestant.
func command(ctx context.Context, c contestant) (*exec.Cmd, error) {
	if c.command != nil {
		return c.command(ctx)
	}
	exe, err := os.Executable()
	return exec.CommandContext(ctx, exe, "contestant"), err
}

// spawn runs a job in a new process and measures it.
func spawn(cmd *exec.Cmd, j job) (measurement, error) {
	input, err := json.Marshal(j)
	if err != nil {
		return measurement{}, err
	}
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return measurement{}, err
	}
	m := measurement{records: j.Records}
	if err := json.Unmarshal(output, &m.outcome); err != nil {
		return m, fmt.Errorf("outcome %q: %w", output, err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	m.system = cmd.ProcessState.SystemTime()
	m.cpu = cmd.ProcessState.UserTime() + m.system
	m.maxRSS = int64(usage.Maxrss) << 10 // Linux counts KiB
	return m, nil
}
