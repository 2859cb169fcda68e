package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// productionJVM contains the JVM flags from Kafka's own bin/kafka-server-start.sh and bin/kafka-run-class.sh.
const productionJVM = "-Xms1g -Xmx1g -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 " +
	"-XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true"

// productionProperties restores the defaults that scripts/kafka changes to make tests fast.
const productionProperties = `
num.network.threads=3
num.io.threads=8
offsets.topic.num.partitions=50
transaction.state.log.num.partitions=50
transaction.abort.timed.out.transaction.cleanup.interval.ms=10000
log.cleaner.backoff.ms=15000
log.cleaner.dedupe.buffer.size=134217728
log.retention.check.interval.ms=300000
`

type kafkaSettings struct {
	script string
	jvm    string
}

// kafkaServer is an Apache Kafka started by scripts/kafka.
type kafkaServer struct {
	kafkaSettings
	dir        string
	properties string
	port       int
	process    int // its pid
}

func kafka(properties string) func(settings, string) server {
	return func(s settings, dir string) server {
		return &kafkaServer{kafkaSettings: s.kafka, dir: dir, properties: productionProperties + properties}
	}
}

// start does not count the time that the script needs before it starts the broker, for example to format an empty
// directory.
func (k *kafkaServer) start(ctx context.Context, partitions int) (time.Duration, error) {
	if k.port == 0 {
		var err error
		if k.port, err = freePort(); err != nil {
			return 0, err
		}
	}
	answered, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	script := make(chan error, 1)
	go func() {
		err := k.run("start", k.dir, strconv.Itoa(k.port))
		if err != nil {
			cancel(err) // the broker will not become ready
		}
		script <- err
	}()
	err := awaitPartitions(answered, k.addr(), partitions)
	now, clockErr := sinceBoot()
	if scriptErr := <-script; err == nil { // otherwise scriptErr is the cause of err
		err = scriptErr
	}
	if err = errors.Join(err, clockErr); err == nil {
		k.process, err = k.readPID()
	}
	if err != nil {
		return 0, errors.Join(err, k.stop())
	}
	began, err := startOf(k.process)
	return now - began, err
}

// run runs the script.
func (k *kafkaServer) run(args ...string) error {
	cmd := exec.Command(k.script, args...)
	cmd.Env = append(os.Environ(), "KAFKA_JVM="+k.jvm, "KAFKA_PROPERTIES="+k.properties)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must only reach this program, which then stops the broker
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", k.script, strings.Join(args, " "), err, output)
	}
	return nil
}

// readPID reads the pid from the script's file.
func (k *kafkaServer) readPID() (int, error) {
	line, err := os.ReadFile(filepath.Join(k.dir, "pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(line)))
}

func (k *kafkaServer) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(k.port)) }

func (k *kafkaServer) pid() int { return k.process }

func (k *kafkaServer) stop() error {
	if _, err := os.Stat(filepath.Join(k.dir, "pid")); errors.Is(err, os.ErrNotExist) {
		return nil // the process was never started
	}
	return k.run("stop", k.dir)
}

func (k *kafkaServer) kill() error { return killProcess(k.process) }

// freePort finds a free port below the range of ephemeral ports.
func freePort() (int, error) {
	for port := 23_000; port < 32_000; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port from 23000 to 31999")
}
