package runner_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/runner"
)

func echo(p *textContext) textHandler {
	return func(r textRecord) error { return p.Emit(r.Key, r.Value) }
}

// transactionalIDs returns the transactional ids of a process with one worker.
func (c *cluster) transactionalIDs(cfg runner.Config) []string {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(cfg.Dir, "state", c.app, "*", "process-id"))
	if more, _ := filepath.Glob(filepath.Join(cfg.Dir, "state", c.app, "*", "*", "process-id")); err == nil {
		files = append(files, more...)
	}
	var ids []string
	for _, file := range files {
		id, err := os.ReadFile(file)
		if err != nil {
			c.t.Fatal(err)
		}
		ids = append(ids, c.app+"-"+strings.TrimSpace(string(id))+"-0")
	}
	if len(ids) == 0 {
		c.t.Fatal("the process has no id")
	}
	return ids
}

// If an output topic is deleted, the pauses between attempts grow, although with transactions each attempt commits offsets.
// After RetryTimeout the run ends with an error that names the topic.
//
// Proves: trouble-ends-after-retry-timeout
func TestADeletedOutputTopicEndsTheRun(t *testing.T) {
	long(t)
	for _, atLeastOnce := range []bool{false, true} {
		t.Run(fmt.Sprintf("AtLeastOnce=%v", atLeastOnce), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.create(c.lines.Name(), 2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var log logs
			cfg := c.forever()
			cfg.AtLeastOnce = atLeastOnce
			cfg.RetryTimeout = time.Second
			cfg.Client.RetryTimeout = 300 * time.Millisecond // of one attempt
			log.record(&cfg)
			done, _ := c.start(ctx, c.handled(echo), cfg)
			c.send(c.lines.Name(), 2, "a", "b")
			c.awaitResults(ctx, "a b")
			if err := c.client.DeleteTopics(ctx, c.out().Name()); err != nil {
				t.Fatal(err)
			}
			c.send(c.lines.Name(), 2, "c", "d")
			err := <-done
			if !errors.Is(err, runner.ErrRetryTimeout) || !strings.Contains(err.Error(), c.out().Name()) {
				t.Errorf("the run ends with %v", err)
			}
			if n := log.count("closing all tasks of a worker after a failure"); n > 25 { // five to eleven, with the pauses between them
				t.Errorf("%d attempts in a second", n)
			}
		})
	}
}

// A producer that the cluster has forgotten or fenced is replaced by a new one, also if the application has been idle for
// longer than RetryTimeout.
func TestAFencedProducerIsReplaced(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.forever()
	cfg.RetryTimeout = 500 * time.Millisecond // shorter than the time from the last commit to the next failure
	done, stop := c.start(ctx, c.handled(echo), cfg)
	want := ""
	for i := range 3 {
		c.send(c.lines.Name(), 1, fmt.Sprint(i))
		want = strings.TrimSpace(want + " " + fmt.Sprint(i))
		c.awaitResults(ctx, want)
		takeTime(cfg.RetryTimeout)
		for _, id := range c.transactionalIDs(cfg) {
			p, err := c.client.NewProducer(ctx, kafka.ProducerConfig{TransactionalID: id})
			if err != nil {
				t.Fatal(err)
			}
			p.Close()
		}
	}
	stop()
	endsWell(t, done)
}

// Producers that the broker has forgotten because they were idle are replaced, and every result is written once.
func TestAForgottenProducerIsReplaced(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	proxy := kafkatest.NewProxy(t, c.addr)
	c.create(c.lines.Name(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var log logs
	cfg := c.forever()
	cfg.Brokers = []string{proxy.Addr()}
	log.record(&cfg)
	done, stop := c.start(ctx, c.handled(echo), cfg)
	want := ""
	for i := range 3 {
		c.send(c.lines.Name(), 1, fmt.Sprint(i))
		want = strings.TrimSpace(want + " " + fmt.Sprint(i))
		c.awaitResults(ctx, want)
		proxy.ForgetProducers()
	}
	stop()
	endsWell(t, done)
	c.awaitResults(ctx, want)
	if n := log.count("INVALID_PRODUCER_ID_MAPPING"); n < 2 || proxy.Refused() < 2 {
		t.Errorf("the broker rejected %d requests of forgotten producers, and the log has %d such errors, want 2 of both", proxy.Refused(), n)
	}
}

// While a restore waits for a transaction, the log and the readiness probe name it, and the metrics say that the task waits for
// a transaction. When it ends, the application is ready.
//
// Proves: waiting-says-for-what, ready-means-processing
func TestAWaitingTaskSaysWhatFor(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.config()
	c.send(c.lines.Name(), 1, "rio")
	if err := runner.Run(ctx, c.wordCount(), cfg); err != nil {
		t.Fatal(err)
	}

	p, err := c.client.NewProducer(ctx, kafka.ProducerConfig{TransactionalID: c.app + "-forgotten", TransactionTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Send(c.app+"-counts-changelog", 0, kafka.Record{Key: []byte("rio"), Value: make([]byte, 8)}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	var log logs
	cfg.Dir, cfg.StopAtEnd = t.TempDir(), false
	log.record(&cfg)
	app := c.launch(ctx, c.wordCount(), cfg)
	c.await(ctx, func() bool { return value(app, metrics.RestoreLeft, "1_0") > 0 })
	if code, body := get(app, "/readyz"); code != 503 || !strings.Contains(body, "restoring") {
		t.Errorf("during a restore, /readyz answers %d %s", code, body)
	}
	if value(app, metrics.Waiting, "1_0", "restore") != 1 && value(app, metrics.Waiting, "1_0", "transaction") != 1 {
		t.Errorf("the metrics do not say that task 1_0 waits")
	}
	left := value(app, metrics.RestoreLeft, "1_0")
	c.await(ctx, func() bool {
		return log.has("task is waiting to be opened", "transaction "+c.app+"-forgotten of producer ", "Ongoing since ", c.app+"-counts-changelog")
	})
	c.await(ctx, func() bool { return value(app, metrics.Waiting, "1_0", "transaction") == 1 })
	code, body := get(app, "/readyz")
	if code != 503 || !strings.Contains(body, c.app+"-forgotten") {
		t.Errorf("while a restore waits for a transaction, /readyz answers %d %s", code, body)
	}
	if got := value(app, metrics.RestoreLeft, "1_0"); got == 0 || got > left {
		t.Errorf("%v offsets are left of the restore, and before %v", got, left)
	}
	if err := p.Abort(ctx); err != nil {
		t.Fatal(err)
	}
	c.await(ctx, func() bool { code, _ := get(app, "/readyz"); return code == 200 })
	if n := value(app, metrics.Waiting) + value(app, metrics.RestoreLeft); n != 0 {
		t.Errorf("after the restore, the metrics say that something waits or is left: %v", n)
	}
}
