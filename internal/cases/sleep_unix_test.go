//go:build unix

package cases

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// A laptop sleeps for longer than RetryTimeout and the session timeout. When it wakes up, the embedded broker and the
// application, in one process, continue. (lid.py sleeps for 5 minutes, the default of RetryTimeout.)
func TestSleepingLaptop(t *testing.T) {
	const retry, session = 2 * time.Second, time.Second
	m := copyModule(t, "faults", "")
	m.build(t, "app", "load")
	i := m.start(t, "app", "-listen", "127.0.0.1:0", "-dir", filepath.Join(t.TempDir(), "app"), "-retry", fmt.Sprint(retry), "-session", fmt.Sprint(session))
	var address string
	until(t, "an address", func() bool {
		if found := regexp.MustCompile(`address=(127\S+)`).FindStringSubmatch(i.logged()); found != nil {
			address = found[1]
		}
		return address != ""
	})
	if out, err := m.output(limit, "load", "-brokers", address, "-init"); err != nil {
		t.Fatalf("load: %v\n%s", err, out)
	}
	load := m.start(t, "load", "-brokers", address, "-rate", "200", "-dur", "1h")

	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{address}, RetryTimeout: time.Minute})
	must(t, err)
	defer client.Close()
	results := int64(0)
	more := func() bool {
		n := lengthOf(t.Context(), client, "enriched")
		if n > results {
			results = n
			return true
		}
		return false
	}
	until(t, "results before the sleep", more)
	must(t, i.cmd.Process.Signal(syscall.SIGSTOP))
	<-time.After(2 * retry)
	must(t, i.cmd.Process.Signal(syscall.SIGCONT))
	more() // counts what was there
	until(t, "results after the sleep", more)
	load.stop(10 * time.Second)
	i.stop(10 * time.Second)
}

// lengthOf returns the sum of a topic's end offsets, or 0 while they cannot be read.
func lengthOf(ctx context.Context, client *kafka.Client, topic string) (n int64) {
	partitions, err := client.Partitions(ctx, topic)
	if err != nil {
		return 0
	}
	var all []kafka.TopicPartition
	for p := range partitions {
		all = append(all, kafka.TopicPartition{Topic: topic, Partition: p})
	}
	ends, err := client.Offsets(ctx, all, kafka.Latest)
	if err != nil {
		return 0
	}
	for _, end := range ends {
		n += end
	}
	return n
}
