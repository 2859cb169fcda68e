package runner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// Tests of records that the broker or the protocol rejects.

// unwritable lists causes of a rejection: settings of the topic, and a function that makes a record invalid.
var unwritable = map[string]struct {
	settings map[string]string
	spoil    func(*textRecord)
	says     string
}{
	"too large":   {map[string]string{"max.message.bytes": "10000"}, func(r *textRecord) { r.Value = strings.Repeat("x", 20_000) }, "max.message.bytes"},
	"too new":     {map[string]string{"message.timestamp.after.max.ms": "3600000"}, func(r *textRecord) { r.Timestamp += 7_200_000 }, "INVALID_TIMESTAMP"},
	"too old":     {map[string]string{"message.timestamp.before.max.ms": "3600000"}, func(r *textRecord) { r.Timestamp -= 7_200_000 }, "INVALID_TIMESTAMP"},
	"without key": {map[string]string{"cleanup.policy": "compact"}, func(r *textRecord) { r.NoKey = true }, "INVALID_RECORD"},
	"before 1970": {nil, func(r *textRecord) { r.Timestamp = -1 }, "1970"},
	"after 2262":  {nil, func(r *textRecord) { r.Timestamp = 1_795_967_000_000_000_000 }, "2262"},
}

// spoiling writes every record with the current time, and calls spoil for those with the value "bad".
func (c *cluster) spoiling(spoil func(*textRecord)) *topology.Topology {
	return c.handled(func(p *textContext) textHandler {
		return func(r textRecord) error {
			r.Timestamp = time.Now().UnixMilli()
			if r.Value == "bad" {
				spoil(&r)
			}
			return p.Forward(r)
		}
	})
}

// refusing creates a topic for results, and input records of which the third and the last are bad.
func (c *cluster) refusing(settings map[string]string) {
	c.createWith(c.out().Name(), settings)
	c.create(c.lines.Name(), 1)
	c.send(c.lines.Name(), 1, "a", "b", "bad", "d", "e", "bad")
}

// Proves: bad-record-follows-policy
func TestUnwritableRecordsFollowThePolicy(t *testing.T) {
	t.Parallel()
	shared := newCluster(t)
	for name, test := range unwritable {
		for _, action := range []processor.Action{processor.Fail, processor.Skip, processor.DeadLetter} {
			for _, atLeastOnce := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s,%v,at least once=%v", name, action, atLeastOnce), func(t *testing.T) {
					t.Parallel()
					c := shared.in(t)
					c.refusing(test.settings)
					cfg := c.config()
					cfg.AtLeastOnce = atLeastOnce
					cfg.Policies.Produce.Action = action
					cfg.Policies.DeadLetters = c.app + ".letters"
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					err := runner.Run(ctx, c.spoiling(test.spoil), cfg)

					if action == processor.Fail {
						source := fmt.Sprintf("produce %s/0 at 2 in sink (slow_test.go:", c.lines.Name())
						if err == nil || !strings.Contains(err.Error(), source) || !strings.Contains(err.Error(), test.says) {
							t.Fatalf("error %v, want %s… %s", err, source, test.says)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if got := values(c.read(c.out().Name())); got != "a b d e" {
						t.Errorf("results %q, want a b d e", got)
					}
					if action == processor.DeadLetter {
						c.checkLetters(cfg.Policies.DeadLetters, test.says)
					}
				})
			}
		}
	}
}

func values(records []kafka.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return strings.Join(all, " ")
}

// errorHeaders returns the headers of a dead letter, by the last word of their names.
func errorHeaders(r kafka.Record) map[string]string {
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[strings.TrimPrefix(h.Key, "__streams.errors.")] = string(h.Value)
	}
	return headers
}

// checkLetters checks the dead letters of the records at offsets 2 and 5.
func (c *cluster) checkLetters(topic, says string) {
	c.t.Helper()
	letters := c.read(topic)
	if got := values(letters); got != "bad bad" {
		c.t.Fatalf("dead letters %q, want bad bad", got)
	}
	for i, r := range letters {
		h := errorHeaders(r)
		if h["topic"] != c.lines.Name() || h["partition"] != "0" || h["offset"] != []string{"2", "5"}[i] || h["stage"] != "produce" ||
			!strings.HasPrefix(h["step"], "sink (") || !strings.Contains(h["message"], says) || string(r.Key) != h["offset"] || r.Timestamp != int64(2+3*i) {
			c.t.Errorf("letter %d: %v, key %s at %d", i, h, r.Key, r.Timestamp)
		}
	}
}

// A dead letter that is itself rejected is replaced by one without key and value, which names the record.
func TestRefusedDeadLetter(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.refusing(map[string]string{"max.message.bytes": "10000"})
	letters := c.app + ".letters"
	c.createWith(letters, map[string]string{"message.timestamp.before.max.ms": "3600000"}) // the records are of 1970
	cfg := c.config()
	cfg.Policies.Produce.Action = processor.DeadLetter
	cfg.Policies.DeadLetters = letters
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := runner.Run(ctx, c.spoiling(unwritable["too large"].spoil), cfg); err != nil {
		t.Fatal(err)
	}
	got := c.read(letters)
	if len(got) != 2 || got[0].Value != nil || !strings.Contains(fmt.Sprintf("%s", got[1].Headers), "__streams.errors.offset 5") {
		t.Errorf("letters %+v", got)
	}
}

// Topics that only accept batches smaller than the default can be written: results and changelogs.
func TestTopicsWithSmallBatches(t *testing.T) {
	for _, atLeastOnce := range []bool{false, true} {
		t.Run(fmt.Sprintf("at least once=%v", atLeastOnce), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			for _, topic := range []string{c.out().Name(), c.app + "-pads-changelog"} {
				c.createWith(topic, map[string]string{"max.message.bytes": "20000"})
			}
			c.create(c.lines.Name(), 1)
			c.send(c.lines.Name(), 1, numbers(1000)...)
			pad := strings.Repeat("y", 1024)
			b := topology.NewBuilder(c.app)
			pads := topology.Aggregate(topology.From(b, c.lines), "pads", func(string, string) string { return pad })
			pads.ToStream().To(c.out())
			cfg := c.config()
			cfg.AtLeastOnce = atLeastOnce
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := runner.Run(ctx, c.build(b), cfg); err != nil {
				t.Fatal(err)
			}
			for _, topic := range []string{c.out().Name(), c.app + "-pads-changelog"} {
				if n := len(c.read(topic)); n != 1000 {
					t.Errorf("%s has %d records, want 1000", topic, n)
				}
			}
		})
	}
}

// A row that its changelog rejects ends the run, whatever the policy. The error names the store and the row.
func TestRefusedChange(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.createWith(c.app+"-rows-changelog", map[string]string{"max.message.bytes": "10000"})
	c.create(c.lines.Name(), 1)
	c.send(c.lines.Name(), 1, "small", "large")
	b := topology.NewBuilder(c.app)
	topology.Aggregate(topology.From(b, c.lines), "rows", func(_, v string) string {
		if v == "large" {
			return strings.Repeat("x", 20<<20)
		}
		return v
	})
	cfg := c.config()
	cfg.Policies.Produce.Action = processor.Skip
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := runner.Run(ctx, c.build(b), cfg)
	for _, want := range []string{`store "rows"`, `row of key "1"`, c.app + "-rows-changelog/0", "raise the topic's max.message.bytes", "TopicConfig"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
