package runner_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// bordered counts all lines after a KeyBy. After the count there is a border around two steps: the first writes the line to
// a store, the second fails at "bad". The filter before the count panics at its failAt-th record.
func (c *cluster) bordered(action processor.Action, failAt int) *topology.Topology {
	noted := state.NewKeyValue("noted", codec.String, codec.String)
	seen := 0
	b := topology.NewBuilder(c.app)
	together := topology.KeyBy(topology.From(b, c.lines), "together", func(string) string { return "all" })
	passed := together.Filter(func(string) bool {
		if seen++; seen == failAt {
			panic("outside the border")
		}
		return true
	})
	topology.Count(passed, "counts").To(c.counts)
	notes := topology.Process(passed, "note", func(p *textContext) textHandler {
		rows := noted.In(p)
		return func(r textRecord) error { return errors.Join(rows.Put(r.Value, r.Key, r.Timestamp), p.Forward(r)) }
	}, noted).OnError(processor.Policy{Action: action})
	topology.Process(notes, "call", func(p *textContext) textHandler {
		return func(r textRecord) error {
			if r.Value == "bad" {
				return errors.New("nobody answers")
			}
			return p.Forward(r)
		}
	}).To(c.out())
	return c.build(b)
}

// A border after a KeyBy undoes what its steps did with a bad record, and nothing else. Its dead letters name the record of
// the user's topic. All of that happens exactly once, although one run fails before it commits and another starts without
// local state.
//
// Proves: bad-record-follows-policy, failed-record-leaves-no-trace, dead-letter-names-the-source
func TestABorderBehindAKeyBy(t *testing.T) {
	for _, action := range []processor.Action{processor.Skip, processor.DeadLetter} {
		t.Run(action.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.create(c.lines.Name(), 2)
			cfg := c.config()
			cfg.Policies.DeadLetters = c.app + ".letters"
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()

			c.send(c.lines.Name(), 2, "a", "bad", "b", "c", "bad", "d")
			if err := runner.Run(ctx, c.bordered(action, 6), cfg); err == nil || !strings.Contains(err.Error(), "outside the border") {
				t.Fatalf("the first run ends with %v", err)
			}
			if err := runner.Run(ctx, c.bordered(action, 0), cfg); err != nil {
				t.Fatal(err)
			}
			c.send(c.lines.Name(), 2, "e", "bad")
			cfg.Dir = t.TempDir()
			if err := runner.Run(ctx, c.bordered(action, 0), cfg); err != nil {
				t.Fatal(err)
			}

			want := map[string]int64{"all": 8}
			if counts, records := c.final(); !maps.Equal(counts, want) || !maps.Equal(records, want) {
				t.Errorf("counts %v, numbers of records %v, want both %v", counts, records, want)
			}
			if got := sorted(c.read(c.out().Name()), recordValue); got != "a b c d e" {
				t.Errorf("results %q, want a b c d e", got)
			}
			if got := sorted(c.read(c.app+"-noted-changelog"), recordKey); got != "a b c d e" {
				t.Errorf("notes %q, want a b c d e", got)
			}
			letters := ""
			if action == processor.DeadLetter {
				letters = "0 at 2, 1 at 0, 1 at 3"
			}
			if got := c.origins(cfg.Policies.DeadLetters); got != letters {
				t.Errorf("dead letters of %q, want %q", got, letters)
			}
		})
	}
}

func recordKey(r kafka.Record) string   { return string(r.Key) }
func recordValue(r kafka.Record) string { return string(r.Value) }

// sorted returns the texts of records in alphabetical order.
func sorted(records []kafka.Record, text func(kafka.Record) string) string {
	var all []string
	for _, r := range records {
		all = append(all, text(r))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// origins returns the partitions and offsets of the lines whose dead letters are in a topic.
func (c *cluster) origins(letters string) string {
	c.t.Helper()
	var all []string
	for _, r := range c.read(letters) {
		h := errorHeaders(r)
		if h["topic"] != c.lines.Name() || !strings.HasPrefix(h["via"], c.app+"-together-repartition/") || h["message"] != "nobody answers" ||
			!strings.HasPrefix(h["step"], "process call (") || string(r.Value) != "bad" {
			c.t.Errorf("dead letter %s with headers %v", r.Value, h)
		}
		all = append(all, fmt.Sprintf("%s at %s", h["partition"], h["offset"]))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
