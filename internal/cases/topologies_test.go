package cases

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// known is a topology with its inputs: a line of known.jsonl.
type known struct {
	ID     int
	Family string
	Nodes  []node
	Inputs []struct {
		Topic      string
		Key, Value *string // nil: null
		TS         int64
	}
}

// node is a step. M is the modulus of a filter or a new key; Every is in milliseconds.
type node struct {
	ID, Op, Topic, Name, Kind string
	In                        []string
	M                         int
	Every                     int64
	Window                    *struct {
		Type                 string
		Size, Advance, Grace int64
	}
}

// right contains the records that the topologies must write, by id. They are the same as in Kafka Streams, except for the
// intended differences.
var right = map[int]string{
	1: `null="" @0`,
	2: `""=null @0`,
	3: `"k1"="v1+T1+T1" @6`,
	4: `"k3@1970-01-01T00:00:00Z/10ms"="1" @0`,
	5: `"k3@1970-01-01T00:00:00Z/10ms"="1" @0`,
	6: `"k3@1970-01-01T00:00:00Z/10ms"="1" @0`,
	7: ``,                                           // intended: Kafka Streams counts a null value in a window, against its documentation
	8: `"flush"="1" @10` + "\n" + `"flush"="1" @40`, // intended: at multiples of the interval (ADR 8)
	9: `"k1"="v1" @3` + "\n" + `"k1"="v1" @3`,
}

func TestKnownTopologies(t *testing.T) {
	file, err := os.Open(filepath.Join(inputs(t, "semantics"), "known.jsonl"))
	must(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	n := 0
	for ; lines.Scan(); n++ {
		var k known
		must(t, json.Unmarshal(lines.Bytes(), &k))
		t.Run(fmt.Sprint(k.ID, " ", k.Family), func(t *testing.T) {
			want, ok := right[k.ID]
			if !ok {
				t.Fatal("this test has no expected output for the case")
			}
			if got := k.run(t); got != want {
				t.Errorf("written:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	must(t, lines.Err())
	if n != len(right) {
		t.Errorf("there are %d topologies, want %d", n, len(right))
	}
}

func texts(name string) topology.Topic[string, string] {
	return topology.NewTopic(name, codec.String, codec.String)
}

// graph is a topology under construction.
type graph struct {
	b       *topology.Builder
	streams map[string]*topology.Stream[string, string]
	tables  map[string]*topology.Table[string, string]
	counts  map[string]*topology.Table[codec.WindowKey[string], int64]
}

// run runs the topology and returns the records of its output o, one per line.
func (k *known) run(t *testing.T) string {
	g := &graph{
		topology.NewBuilder("known"), make(map[string]*topology.Stream[string, string]),
		make(map[string]*topology.Table[string, string]), make(map[string]*topology.Table[codec.WindowKey[string], int64]),
	}
	for _, n := range k.Nodes {
		g.declare(t, n)
	}
	top, err := g.b.Build()
	must(t, err)
	d, err := topologytest.New(top, topologytest.Config{})
	must(t, err)
	defer d.Close()
	for _, in := range k.Inputs {
		r := processor.Record[string, string]{Timestamp: in.TS, NoKey: in.Key == nil, Tombstone: in.Value == nil}
		if in.Key != nil {
			r.Key = *in.Key
		}
		if in.Value != nil {
			r.Value = *in.Value
		}
		must(t, topologytest.Send(d, texts(in.Topic), r))
	}
	records, err := topologytest.Read(d, texts("o"))
	must(t, err)
	var lines []string
	for _, r := range records {
		lines = append(lines, fmt.Sprintf("%s=%s @%d", orNull(r.Key, r.NoKey), orNull(r.Value, r.Tombstone), r.Timestamp))
	}
	return strings.Join(lines, "\n")
}

func orNull(s string, null bool) string {
	if null {
		return "null"
	}
	return fmt.Sprintf("%q", s)
}

// digits returns the number at the end of a value such as v3.
func digits(v string) (n int) {
	_, _ = fmt.Sscanf(strings.TrimLeft(v, "vT"), "%d", &n)
	return n
}

func (g *graph) declare(t *testing.T, n node) {
	t.Helper()
	in := func(i int) *topology.Stream[string, string] { return g.streams[n.In[i]] }
	switch n.Op {
	case "stream":
		g.streams[n.ID] = topology.From(g.b, texts(n.Topic))
	case "table":
		g.tables[n.ID] = topology.TableFrom(g.b, texts(n.Topic))
	case "toStream":
		g.streams[n.ID] = g.tables[n.In[0]].ToStream()
	case "to":
		in(0).To(texts(n.Topic))
	case "filter": // drops multiples
		g.streams[n.ID] = in(0).Filter(func(v string) bool { return digits(v)%n.M != 0 })
	case "merge":
		g.streams[n.ID] = in(0).Merge(in(1))
	case "keyBy":
		g.streams[n.ID] = topology.KeyBy(in(0), n.Name, func(v string) string { return fmt.Sprint("k", digits(v)%n.M) })
	case "joinTable":
		g.streams[n.ID] = topology.LeftJoin(in(0), g.tables[n.In[1]], func(v, w string, ok bool) string {
			if !ok {
				return v
			}
			return v + "+" + w
		})
	case "count":
		windows := topology.Tumbling(time.Duration(n.Window.Size) * time.Millisecond).Grace(time.Duration(n.Window.Grace) * time.Millisecond)
		g.counts[n.ID] = topology.Count(topology.Window(in(0), windows), n.Name)
	case "windowsToStream":
		g.streams[n.ID] = topology.ProcessKV(g.counts[n.In[0]].ToStream(), "text", asText)
	case "flush":
		g.streams[n.ID] = topology.Process(in(0), n.Name, flush(time.Duration(n.Every)*time.Millisecond))
	default:
		t.Fatalf("unknown step %q", n.Op)
	}
}

// asText converts windows and their counts to text.
func asText(c *processor.Context[string, string]) processor.Handler[codec.WindowKey[string], int64] {
	return func(r processor.Record[codec.WindowKey[string], int64]) error {
		return c.Forward(processor.Record[string, string]{Key: fmt.Sprint(r.Key), Value: fmt.Sprint(r.Value), Timestamp: r.Timestamp})
	}
}

// flush emits the number of records since the last call of its timer, which fires at every multiple of the interval in stream
// time.
func flush(every time.Duration) func(*processor.Context[string, string]) processor.Handler[string, string] {
	return func(c *processor.Context[string, string]) processor.Handler[string, string] {
		n := 0
		c.Schedule(every, processor.StreamTime, func(now time.Time) error {
			count := n
			n = 0
			return c.Forward(processor.Record[string, string]{Key: "flush", Value: fmt.Sprint(count), Timestamp: now.UnixMilli()})
		})
		return func(processor.Record[string, string]) error { n++; return nil }
	}
}
