package cases

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
)

// TestOneof: a value with an interface field keeps the codec of its topic after a KeyBy.
func TestOneof(t *testing.T) {
	m := copyModule(t, "faults/oneof", "")
	m.run(t, "go", "test", "-mod=mod", "-count=1", ".")
}

// counter is a program that counts records by key. Values can make it misbehave.
type counter struct {
	t        *testing.T
	m        *module
	brokers  string
	programs int
}

// topicsOfCounter are the topics that the program reads and writes.
var topicsOfCounter = []string{"micro-in", "micro-out", "micro-counts-changelog"}

// TestFaults runs the program on each broker, in parallel.
func TestFaults(t *testing.T) {
	m := copyModule(t, "faults", "")
	m.build(t, "micro", "opentxn")
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		runFaults(t, m, embedded)
	})
	address := os.Getenv("RIO_KAFKA")
	if address == "" {
		return
	}
	t.Run("kafka", func(t *testing.T) {
		t.Parallel()
		runFaults(t, m, func(t *testing.T) string {
			forgetCounter(t, address)
			return address
		})
	})
}

// runFaults runs the program with each fault. fresh returns a broker without data of earlier runs.
func runFaults(t *testing.T, m *module, fresh func(*testing.T) string) {
	for _, test := range []struct {
		name string
		run  func(*counter)
		long bool
	}{
		{"slow records", (*counter).slowRecords, false},
		{"a record that hangs", (*counter).hangingRecord, true}, // short version: TestAStopDoesNotWaitForAHungHandler of package runner
		{"output deleted", (*counter).outputDeleted, false},
		{"open transaction", (*counter).openTransaction, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.long {
				long(t)
			}
			test.run(&counter{t: t, m: m, brokers: fresh(t)})
		})
	}
}

// forgetCounter deletes the topics and the group of the program from a broker.
func forgetCounter(t *testing.T, address string) {
	t.Helper()
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{address}})
	must(t, err)
	defer client.Close()
	for _, topic := range topicsOfCounter {
		_ = client.DeleteTopics(t.Context(), topic)
	}
	_ = client.DeleteGroup(t.Context(), "micro")
}

// embedded starts a broker with its own directory.
func embedded(t *testing.T) (address string) {
	t.Helper()
	b, err := broker.Start(broker.Config{DataDir: filepath.Join(t.TempDir(), "log"), AutoCreateTopics: true, Partitions: 4})
	must(t, err)
	t.Cleanup(func() { b.Close() })
	return b.Addr()
}

// send writes the records of a text such as "a=1 k%=sleep:1s" n times; % stands for the number of the repetition.
func (c *counter) send(n int, records string) {
	c.t.Helper()
	out, err := c.m.output(limit, "micro", "-brokers", c.brokers, "-n", fmt.Sprint(n), "-send", records)
	if err != nil {
		c.t.Fatalf("send: %v\n%s", err, out)
	}
}

// results returns the lines of the output topic.
func (c *counter) results() []string {
	out, err := c.m.output(limit, "micro", "-brokers", c.brokers, "-show", "micro-out")
	if err != nil {
		return nil // the topic does not exist yet
	}
	return slices.Collect(strings.Lines(out))
}

// start runs an instance of the program with its own state directory.
func (c *counter) start(flags ...string) *instance {
	c.t.Helper()
	c.programs++
	dir := filepath.Join(c.t.TempDir(), fmt.Sprint("state-", c.programs))
	return c.m.start(c.t, "micro", append([]string{"-brokers", c.brokers, "-dir", dir}, flags...)...)
}

// Slow records with large results: the first results are visible long before the last record is processed, and a stop only
// waits for the current call.
func (c *counter) slowRecords() {
	c.send(400, "k%=sleepbig:40ms,8000")
	i := c.start()
	until(c.t, "results on the way", func() bool { return len(c.results()) > 20 })
	i.stop(5 * time.Second)
	if n := len(c.results()); n >= 400 {
		c.t.Errorf("%d results: the stop came after the last record", n)
	}
}

// A handler that never returns does not prevent the process from ending.
func (c *counter) hangingRecord() {
	c.send(1, "a=1 b=1")
	i := c.start()
	until(c.t, "results", func() bool { return len(c.results()) >= 2 })
	c.send(1, "a=hang")
	<-time.After(2 * time.Second) // there is no sign that the handler has been called
	i.stop(40 * time.Second)
}

// The output topic is deleted, so only offsets can be committed: the application ends after RetryTimeout, or at least does not
// restart several times per second.
func (c *counter) outputDeleted() {
	c.send(1, "a=1 b=1")
	i := c.start("-retry", "5s")
	until(c.t, "results", func() bool { return len(c.results()) >= 2 })
	client, err := kafka.Dial(c.t.Context(), kafka.Config{Brokers: []string{c.brokers}})
	must(c.t, err)
	defer client.Close()
	must(c.t, client.DeleteTopics(c.t.Context(), "micro-out"))
	c.send(1, "a=1 b=1")
	select {
	case <-i.ended:
		if !strings.Contains(i.logged(), "micro-out") {
			c.t.Error("the reason does not name the topic")
		}
	case <-time.After(20 * time.Second):
		lines := strings.Count(i.logged(), "level=WARN")
		c.t.Logf("alive after 20 s with %d warnings", lines)
		if lines > 40 {
			c.t.Errorf("%d warnings in 20 s: there is no back-off", lines)
		}
	}
}

// A restore that waits for the open transaction of another program names it in the log.
func (c *counter) openTransaction() {
	c.send(1, "a=1 b=1")
	i := c.start()
	until(c.t, "results", func() bool { return len(c.results()) >= 2 })
	i.stop(10 * time.Second)
	if out, err := c.m.output(limit, "opentxn", c.brokers, "micro-counts-changelog", "0"); err != nil {
		c.t.Fatalf("opentxn: %v\n%s", err, out)
	}
	c.send(1, "a=1 b=1")
	i = c.start()
	waits := regexp.MustCompile(`micro-counts-changelog[^\n]*transaction|transaction[^\n]*micro-counts-changelog`)
	until(c.t, "the log names the transaction", func() bool { return waits.MatchString(i.logged()) })
	i.stop(10 * time.Second)
}

// One program on one machine uses two clusters in turn. Each cluster has its own counts.
func TestTwoClusters(t *testing.T) {
	m := copyModule(t, "faults/rep-src", "")
	must(t, os.Mkdir(filepath.Join(m.dir, "rep"), 0o755))
	must(t, os.Rename(filepath.Join(m.dir, "main.go"), filepath.Join(m.dir, "rep", "main.go")))
	m.build(t, "rep")
	w := words{t: t, m: m, home: t.TempDir()}
	a, b := embedded(t), embedded(t)
	if address := os.Getenv("RIO_KAFKA"); address != "" {
		b = address
	}
	w.prepare(a)
	w.prepare(b)
	refused := regexp.MustCompile(`(?i)cluster`)
	w.count(a, "mar mar mar mar", "mar")
	for range 5 {
		w.count(a, "rio", "rio")
	}
	if got := w.count(b, "rio", "rio"); got != "1" && !refused.MatchString(got) {
		t.Errorf("on B: %s, want that rio is counted for the first time", got)
	}
	if got := w.count(a, "mar", "mar"); got != "5" && !refused.MatchString(got) {
		t.Errorf("on A: %s, want that mar is counted for the fifth time", got)
	}
}

// words is a program that counts words, with the home directory of one user.
type words struct {
	t    *testing.T
	m    *module
	home string
}

// prepare recreates the topics of the program.
func (w *words) prepare(cluster string) {
	w.t.Helper()
	client, err := kafka.Dial(w.t.Context(), kafka.Config{Brokers: []string{cluster}})
	must(w.t, err)
	defer client.Close()
	topics := []string{"lines", "word-counts", "word-count-counts-changelog", "word-count-by-word-repartition"}
	_ = client.DeleteGroup(w.t.Context(), "word-count")
	for _, topic := range topics {
		_ = client.DeleteTopics(w.t.Context(), topic)
	}
	for _, topic := range topics[:2] {
		must(w.t, client.CreateTopics(w.t.Context(), kafka.TopicSpec{Name: topic, Partitions: 4}))
	}
}

// count writes a line, runs the program, and returns the latest count of a word, or the error of the program.
func (w *words) count(cluster, line, word string) (newest string) {
	w.t.Helper()
	client, err := kafka.Dial(w.t.Context(), kafka.Config{Brokers: []string{cluster}})
	must(w.t, err)
	defer client.Close()
	p, err := client.NewProducer(w.t.Context(), kafka.ProducerConfig{})
	must(w.t, err)
	must(w.t, p.Send("lines", 0, kafka.Record{Value: []byte(line), Timestamp: time.Now().UnixMilli()}))
	must(w.t, p.Flush(w.t.Context()))
	p.Close()

	cmd := w.m.command("rep", "once", cluster)
	cmd.Env = append(os.Environ(), "HOME="+w.home, "XDG_STATE_HOME=", "XDG_DATA_HOME=", "XDG_CACHE_HOME=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return string(out)
	}
	tp := kafka.TopicPartition{Topic: "word-counts", Partition: kafka.Partition([]byte(word), 4)}
	end, err := client.Offsets(w.t.Context(), []kafka.TopicPartition{tp}, kafka.Latest)
	must(w.t, err)
	f := client.NewFetcher(kafka.FetcherConfig{})
	defer f.Close()
	f.Add(tp, 0)
	for next := int64(0); next < end[tp]; {
		fetched, err := f.Poll(w.t.Context())
		must(w.t, err)
		for _, batch := range fetched {
			must(w.t, batch.Err)
			for _, r := range batch.Records {
				if string(r.Key) == word {
					newest = fmt.Sprint(binary.BigEndian.Uint64(r.Value))
				}
			}
			next = batch.Next
		}
	}
	return newest
}
