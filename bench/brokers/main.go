// Brokers compares Rio's embedded broker with Apache Kafka, on one machine and with the same client, franz-go.
//
//	cd bench && go run ./brokers -rounds 3
//
//	rio-os       Rio, Durability "os": acknowledged records are in the operating system's cache
//	kafka        Apache Kafka with its defaults: the same
//	rio-fsync    Rio, Durability "fsync": acknowledged records are on disk
//	kafka-fsync  Apache Kafka with log.flush.interval.messages=1: the same
//
// Each broker runs in its own process, one at a time, with an empty directory. A round has one trial of each
// contestant, so rivals alternate. The steps of a trial are in trial.go. The client shares the machine with the broker:
// rates show the speed of both together, and only the CPU time of the broker's process, from /proc, is the broker's
// alone. Kafka is warmed up before the measurement and runs with the JVM flags of its own start script.
//
// The report shows the median, the smallest and the largest value, and the median of Rio ÷ Kafka in the same round. If
// a read does not find every acknowledged record, also after kill -9, the trial fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if isRioProcess(os.Args) {
		signal.Ignore(os.Interrupt) // this process ends when its parent ends
		err = rioMain(os.Args)
	} else {
		err = brokersMain(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "brokers:", err)
		os.Exit(1)
	}
}

// settings are the parsed flags.
type settings struct {
	contestants string
	rounds      int
	load        load
	dir         string
	kafka       kafkaSettings
}

func parse() settings {
	var s settings
	flag.StringVar(&s.contestants, "contestants", "rio-os,kafka,rio-fsync,kafka-fsync", "who takes part")
	flag.IntVar(&s.rounds, "rounds", 3, "trials of each contestant")
	flag.IntVar(&s.load.small, "records", 5_000_000, "records with values of 120 bytes")
	flag.IntVar(&s.load.large, "large-records", 1_000_000, "records with values of 1 KiB")
	flag.IntVar(&s.load.warmUp, "warm-up", 500_000, "records written and read before anything is measured")
	flag.DurationVar(&s.load.duration, "duration", 10*time.Second, "how long single records are sent, and transactions committed")
	flag.IntVar(&s.load.rate, "rate", 200, "single records sent per second")
	flag.IntVar(&s.load.topics, "topics", 100, "topics of 10 partitions each for the start-up with many partitions; 0 leaves that out")
	flag.StringVar(&s.dir, "dir", os.TempDir(), "directory for the brokers' data: which disk is measured")
	flag.StringVar(&s.kafka.script, "kafka", "../scripts/kafka", "the script that starts Apache Kafka")
	flag.StringVar(&s.kafka.jvm, "kafka-jvm", productionJVM, "Kafka's JVM flags")
	short := flag.Bool("short", false, "a smoke test of less than a minute: rio-os and kafka, one round, little of everything")
	flag.Parse()
	if *short {
		s.contestants, s.rounds, s.load = "rio-os,kafka", 1, quickLoad
	}
	return s
}

func brokersMain(ctx context.Context) error {
	s := parse()
	names := strings.Split(s.contestants, ",")
	for _, name := range names {
		if _, err := contestantNamed(name); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(s.dir, "rio-brokers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	conditions := conditionsNow(s, dir)
	runs, err := hold(ctx, s, names, dir)
	conditions.print(os.Stdout)
	return errors.Join(err, report(os.Stdout, names, runs))
}

// hold runs all rounds. If a trial fails, the others still run, because a round takes minutes.
func hold(ctx context.Context, s settings, names []string, dir string) (results, error) {
	runs := results{}
	failed := 0
	for round := range s.rounds {
		for _, name := range names {
			c, err := contestantNamed(name)
			if err != nil {
				return nil, err
			}
			progress := func(f figure) {
				fmt.Fprintf(os.Stderr, "round %d: %s: %s: %s %s\n", round+1, name, f.name, number(f.value), f.unit)
			}
			measured, err := try(ctx, c, s, filepath.Join(dir, name), progress)
			if ctx.Err() != nil {
				return runs, ctx.Err()
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "round %d: %s: failed: %v\n", round+1, name, err)
				failed++
				continue
			}
			runs.add(name, round, measured)
		}
	}
	if failed > 0 {
		return runs, fmt.Errorf("%d trials failed; see the errors above", failed)
	}
	return runs, nil
}
