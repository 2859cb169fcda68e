package topologytest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// Run runs a golden script: a text file of commands and their expected output. go test -rewrite updates the output. The
// output of a command is the records that it wrote to the topology's output topics, one per line:
//
//	topic key=value
//
// The commands are
//
//	send TOPIC [times] [partitions]
//	                        writes a record per line of input, key=value or @time key=value. A time is in RFC 3339 or in
//	                        milliseconds since the epoch; the default is the clock's. null is null. A line without "="
//	                        has no key. With times, the output shows timestamps; with partitions, topic/partition.
//	advance DURATION        advances the wall clock
//	commit                  commits now; commit every=N from now on after N records of a task, 0: after each command
//	crash                   loses what is not committed, and continues
//	restart                 commits, discards the local state, and restores it from the changelogs
//	answer STEP [KEY]       answers the oldest held call of a MapAsync for a key: with the value in the input or, if that is
//	                        "error: …", with an error; without input the function is called; see Config.HoldCalls
//	calls                   shows the held calls
//	read TOPIC [times]      shows everything in a topic, including internal ones and changelogs (by their full name); with
//	                        bytes, it shows quoted bytes instead of text
//	store NAME              shows the committed rows of a store that have not expired
//	stats                   shows what was dropped and skipped
//	plan                    shows the topology
func Run(t *testing.T, path string, top *topology.Topology, cfg Config) {
	t.Helper()
	d, err := New(top, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := &script{driver: d, topology: top}
	datadriven.RunTest(t, path, func(t *testing.T, c *datadriven.TestData) string {
		answer, err := s.run(t, c)
		if err != nil {
			answer += "error: " + firstLine(err.Error()) + "\n"
		}
		if answer == "" {
			answer = "ok\n"
		}
		return answer
	})
}

type script struct {
	driver   *Driver
	topology *topology.Topology
	times    bool
	places   bool // show partitions
	bytes    bool // show quoted bytes instead of text
}

func (s *script) run(t *testing.T, c *datadriven.TestData) (string, error) {
	seen := len(s.driver.log.arrived)
	s.times, s.places, s.bytes = c.HasArg("times"), c.HasArg("partitions"), c.HasArg("bytes")
	var err error
	switch c.Cmd {
	case "send":
		seen, err = s.send(c)
	case "advance":
		var by time.Duration
		if by, err = time.ParseDuration(argument(c)); err == nil {
			err = s.driver.Advance(by)
		}
	case "commit":
		if c.HasArg("every") {
			c.ScanArgs(t, "every", &s.driver.cfg.CommitEvery)
		} else {
			err = s.driver.Commit()
		}
	case "crash":
		err = s.driver.Crash()
	case "restart":
		err = s.driver.Restart()
	case "answer":
		err = s.answer(c)
	case "calls":
		return strings.Join(append(s.driver.Held(), ""), "\n"), nil
	case "read":
		return s.show(s.driver.log.arrived, func(o Output) bool { return o.Topic == argument(c) }), nil
	case "store":
		return s.store(argument(c))
	case "stats":
		return s.stats(), nil
	case "plan":
		return s.topology.String(), nil
	default:
		return "", fmt.Errorf("unknown command %q: send, advance, commit, crash, restart, answer, calls, read, store, stats or plan", c.Cmd)
	}
	return s.show(s.driver.log.arrived[seen:], s.isOutput), err
}

// send writes the input's records and returns the length of the log after them, so that they are not part of the
// output.
func (s *script) send(c *datadriven.TestData) (int, error) {
	name := argument(c)
	topic, ok := s.driver.plan.Topics[name]
	if !ok {
		return len(s.driver.log.arrived), s.driver.write(name, nil, nil, 0, nil)
	}
	for line := range strings.Lines(c.Input) {
		line = strings.TrimSuffix(line, "\n")
		timestamp := millis(s.driver.clock)
		if rest, ok := strings.CutPrefix(line, "@"); ok {
			text, record, _ := strings.Cut(rest, " ")
			t, err := parseTime(text)
			if err != nil {
				return len(s.driver.log.arrived), err
			}
			timestamp, line = t, record
		}
		var key []byte
		keyText, valueText, hasKey := strings.Cut(line, "=")
		var err error
		if hasKey {
			key, err = topic.Text.ParseKey(keyText)
		} else {
			valueText = line
		}
		if err != nil {
			return len(s.driver.log.arrived), fmt.Errorf("key: %w", err)
		}
		value, err := topic.Text.ParseValue(valueText)
		if err != nil {
			return len(s.driver.log.arrived), fmt.Errorf("value: %w", err)
		}
		if err := s.driver.write(name, key, value, timestamp, nil); err != nil {
			return len(s.driver.log.arrived), err
		}
	}
	seen := len(s.driver.log.arrived)
	return seen, s.driver.run()
}

// answer answers a held call.
func (s *script) answer(c *datadriven.TestData) error {
	key, value := "", strings.TrimSuffix(c.Input, "\n")
	if len(c.CmdArgs) > 1 {
		key = c.CmdArgs[1].Key
	}
	switch text, failed := strings.CutPrefix(value, "error: "); {
	case failed:
		return s.driver.AnswerWith(argument(c), key, "", errors.New(text))
	case value != "":
		return s.driver.AnswerWith(argument(c), key, value, nil)
	}
	return s.driver.Answer(argument(c), key)
}

// isOutput reports whether a record is a result, not one of a repartition topic or a changelog.
func (s *script) isOutput(o Output) bool {
	topic, ok := s.driver.plan.Topics[o.Topic]
	return ok && !topic.Internal || s.driver.chosen[o.Topic] != nil || o.Topic == s.driver.cfg.Policies.DeadLetters
}

func (s *script) show(records []Output, want func(Output) bool) string {
	var out strings.Builder
	for _, o := range records {
		if !want(o) {
			continue
		}
		text := s.text(o.Topic)
		out.WriteString(o.Topic)
		if s.places {
			fmt.Fprintf(&out, "/%d", o.Partition)
		}
		out.WriteByte(' ')
		if s.times {
			fmt.Fprintf(&out, "@%d ", o.Timestamp)
		}
		if o.Key != nil {
			fmt.Fprintf(&out, "%s=", text.FormatKey(o.Key))
		}
		fmt.Fprintf(&out, "%s\n", text.FormatValue(o.Value))
	}
	return out.String()
}

// text returns how to format the records of a topic; records of topics that are not in the plan (changelogs, dead
// letters) are quoted.
func (s *script) text(topic string) plan.Text {
	if t := s.driver.chosen[topic]; t != nil && !s.bytes {
		return t.Text
	}
	for _, t := range s.driver.plan.Topics {
		if !s.bytes && s.driver.plan.Names().Topic(t) == topic {
			return t.Text
		}
	}
	quote := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return strconv.Quote(string(b))
	}
	return plan.Text{FormatKey: quote, FormatValue: quote}
}

// store shows the committed rows of a store that have not expired.
func (s *script) store(name string) (string, error) {
	var shown []Output
	found := false
	for _, m := range s.driver.tasks {
		for _, store := range m.sub.Stores {
			if store.Name() != name {
				continue
			}
			found = true
			topic := s.driver.plan.Names().Changelog(name)
			if store.Source != "" {
				topic = store.Source
			}
			rows, err := committed(m.db, store)
			if err != nil {
				return "", err
			}
			for _, r := range rows {
				shown = append(shown, Output{topic, m.partition, plan.Raw{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}})
			}
		}
	}
	for _, g := range s.driver.plan.Globals {
		if g.Store.Name() != name {
			continue
		}
		found = true
		rows, err := committed(s.driver.global.db, g.Store)
		if err != nil {
			return "", err
		}
		for _, r := range rows {
			shown = append(shown, Output{g.Store.Source, 0, plan.Raw{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}})
		}
	}
	if !found {
		return "", fmt.Errorf("no store %q", name)
	}
	slices.SortFunc(shown, func(a, b Output) int { return bytes.Compare(a.Key, b.Key) })
	return s.show(shown, func(Output) bool { return true }), nil
}

// committed returns the rows of a store in a snapshot of a task's database.
func committed(db state.DB, store *plan.Store) (rows []state.EncodedRow, err error) {
	snapshot := db.Snapshot()
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	for row, err := range store.Encoded(snapshot) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (s *script) stats() string {
	counts := map[string]int64{}
	for _, m := range s.driver.tasks {
		counted := m.task.Counters()
		for _, drop := range counted.Drops {
			counts["dropped "+string(drop.Reason)] += drop.Count
		}
		for stage, n := range counted.Skipped {
			counts["skipped "+string(stage)] += n
		}
		for stage, n := range counted.DeadLettered {
			counts["dead-lettered "+string(stage)] += n
		}
		for _, event := range counted.Events {
			counts["event "+event.Name] += event.Count
		}
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&out, "%s %d\n", name, counts[name])
	}
	return out.String()
}

func argument(c *datadriven.TestData) string {
	if len(c.CmdArgs) == 0 {
		return ""
	}
	return c.CmdArgs[0].Key
}

func parseTime(text string) (int64, error) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return ms, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("time %q: RFC 3339, or milliseconds since the epoch", text)
	}
	return millis(t), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
