package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
)

// contestant is one implementation of the work. It returns the table, or leaves it in a topic.
type contestant struct {
	name    string
	slow    bool // reads the smaller topic
	sink    bool // also writes every update to a topic
	keyBy   bool // moves every record through a repartition topic first
	scraped bool // its metrics are read once a second
	run     func(context.Context, job) (map[string]Vehicle, error)
	// command is the program that does the work instead, if it is not written in Go.
	command func(context.Context) (*exec.Cmd, error)
	table   func(job) string // the topic of the table; nil if run returns it
}

// loop is the contestant with which the others are compared.
const loop = "loop"

// contestants lists all contestants that -contestants can name.
var contestants = []contestant{
	{name: loop, run: runLoop(unmarshal)},
	{name: "loop-codec", run: runLoop(codec.JSON[Position]().Decode)},
	{name: "rio", run: runRio(false), table: changelogOf},
	{name: "rio-at-least-once", run: runRio(true), table: changelogOf},
	{name: "rio-sink", run: runRio(false), table: changelogOf, sink: true},
	{name: "rio-key-by", run: runRio(false), table: changelogOf, keyBy: true},
	{name: "rio-scraped", run: runRio(false), table: changelogOf, scraped: true},
	{name: "goka", run: runGoka, table: gokaTable, slow: true},
	{name: "kafka-streams", command: kafkaStreams, table: changelogOf},
}

func contestantNamed(name string) (contestant, error) {
	var names []string
	for _, c := range contestants {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return contestant{}, fmt.Errorf("no contestant %q; there are %q", name, names)
}

// job is the input of a contestant's process, on standard input.
type job struct {
	Contestant  string
	Brokers     []string
	Topic       string
	Records     int // number of records in Topic
	Application string
	Vehicles    int    // number of keys
	Sink        string // topic for every update; empty for none
	KeyBy       bool   // move every record through a repartition topic
	Scraped     bool   // read its metrics once a second
	Dir         string // directory for state
	Workers     int    // Rio's Config.Workers; 0 is the default
	Profile     string // file for a CPU profile; empty for none
	Allocs      string // file for a profile of allocations; empty for none
}

// outcome is the output of a contestant's process, on standard output.
type outcome struct {
	Wall     time.Duration
	GCs      uint32
	Allocs   uint64 // number of allocated objects
	Vehicles int    // size of the loop's table; the others leave theirs in the log
	Records  int64
}

// do runs a job in this process.
func do(ctx context.Context, j job) (outcome, map[string]Vehicle, error) {
	c, err := contestantNamed(j.Contestant)
	if err != nil {
		return outcome{}, nil, err
	}
	start := time.Now()
	table, err := c.run(ctx, j)
	o := outcome{Wall: time.Since(start)}
	o.Vehicles, o.Records = tally(table)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	o.GCs, o.Allocs = m.NumGC, m.Mallocs
	return o, table, err
}

// tableOf reads the table that a finished contestant has written to a topic.
func tableOf(ctx context.Context, client *kafka.Client, j job) (map[string]Vehicle, error) {
	c, err := contestantNamed(j.Contestant)
	if err != nil {
		return nil, err
	}
	rows, err := latest(ctx, client, c.table(j))
	if err != nil {
		return nil, err
	}
	table := make(map[string]Vehicle, len(rows))
	for key, value := range rows {
		var v Vehicle
		if err := json.Unmarshal(value, &v); err != nil {
			return nil, fmt.Errorf("vehicle %s: %w", key, err)
		}
		table[key] = v
	}
	return table, nil
}

// tally counts the vehicles in a table and their positions.
func tally(table map[string]Vehicle) (vehicles int, records int64) {
	for _, v := range table {
		records += v.Positions
	}
	return len(table), records
}

// contestantMain is the main function of a contestant's process.
func contestantMain(ctx context.Context) error {
	var j job
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return err
	}
	stop, err := profile(j)
	if err != nil {
		return err
	}
	o, _, err := do(ctx, j)
	if err := stop(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

// profile starts the profiles of a job. The returned function writes them.
func profile(j job) (stop func() error, err error) {
	if j.Allocs != "" {
		runtime.MemProfileRate = 16 << 10
	}
	if j.Profile != "" {
		f, err := os.Create(j.Profile)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
	}
	return func() error {
		pprof.StopCPUProfile()
		if j.Allocs == "" {
			return nil
		}
		f, err := os.Create(j.Allocs)
		if err != nil {
			return err
		}
		defer f.Close()
		return pprof.Lookup("allocs").WriteTo(f, 0)
	}, nil
}
