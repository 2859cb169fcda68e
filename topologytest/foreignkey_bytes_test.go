package topologytest_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestForeignKeyBytes compares the records of both topics and of the store of a foreign-key join with those that Kafka
// Streams wrote for the same input. The golden files say how they were made.
//
// Proves: names-of-kafka-streams
func TestForeignKeyBytes(t *testing.T) {
	key := func(v string) (string, bool) {
		_, key, ok := strings.Cut(v, "|")
		return key, ok
	}
	pair := func(l, r string) string { return "(" + l + "," + r + ")" }
	for kind, join := range map[string]func(left, right *topology.Table[string, string]) *topology.Table[string, string]{
		"inner": func(left, right *topology.Table[string, string]) *topology.Table[string, string] {
			return topology.JoinTablesBy(left, right, "fk", key, pair)
		},
		"left": func(left, right *topology.Table[string, string]) *topology.Table[string, string] {
			return topology.LeftJoinTablesBy(left, right, "fk", key, func(l, r string, ok bool) string { return pair(l, textOr(r, ok)) })
		},
		"self": func(left, _ *topology.Table[string, string]) *topology.Table[string, string] {
			return topology.JoinTablesBy(left, left, "fk", key, pair)
		},
	} {
		b := topology.NewBuilder("app")
		join(topology.TableFrom(b, texts("left")), topology.TableFrom(b, texts("right"))).To(texts("out"))
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		d, err := topologytest.New(top, topologytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		datadriven.RunTest(t, "testdata/foreign-key-bytes/"+kind, func(t *testing.T, c *datadriven.TestData) string {
			seen := len(d.Outputs())
			if err := topologytest.Send(d, texts(c.CmdArgs[0].Key), parseText(t, c.Input)); err != nil {
				t.Fatal(err)
			}
			return inHex(d.Outputs()[seen+1:])
		})
	}
}

// parseText parses "@timestamp key=value", where the value may be null.
func parseText(t *testing.T, text string) processor.Record[string, string] {
	t.Helper()
	at, row, _ := strings.Cut(strings.TrimPrefix(text, "@"), " ")
	timestamp, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	key, value, _ := strings.Cut(row, "=")
	return processor.Record[string, string]{Key: key, Value: value, Timestamp: timestamp, Tombstone: value == "null"}
}

// inHex formats records, sorted by topic.
func inHex(records []topologytest.Output) string {
	text := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return hex.EncodeToString(b)
	}
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b topologytest.Output) int { return strings.Compare(a.Topic, b.Topic) })
	var lines strings.Builder
	for _, r := range records {
		fmt.Fprintf(&lines, "%s @%d %s=%s\n", r.Topic, r.Timestamp, text(r.Key), text(r.Value))
	}
	return lines.String()
}
