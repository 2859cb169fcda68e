package plan

import (
	"maps"
	"strings"
	"testing"

	"github.com/rio-streams/rio/codec"
)

// chain returns a plan of two sub-topologies. The first reads sources and writes a repartition topic. The second reads
// that topic together with partners.
func chain(repartition *Topic, sources []*Topic, partners ...*Topic) *Plan {
	first := &Subtopology{ID: 0, Nodes: []*Node{{Kind: "key-by", Writes: repartition}}}
	for _, topic := range sources {
		first.Sources = append(first.Sources, &Node{Kind: "source", Reads: topic})
	}
	second := &Subtopology{ID: 1, Sources: []*Node{{Kind: "source", Reads: repartition}}}
	p := &Plan{Application: "app", Subtopologies: []*Subtopology{first, second}, Topics: map[string]*Topic{repartition.Name: repartition}}
	set := []string{repartition.Name}
	for _, topic := range partners {
		second.Sources = append(second.Sources, &Node{Kind: "table", Reads: topic})
		set = append(set, topic.Name)
	}
	for _, topic := range append(sources, partners...) {
		p.Topics[topic.Name] = topic
	}
	p.Repartitions = []*Topic{repartition}
	if len(partners) > 0 {
		p.Copartitioned = [][]string{set}
	}
	return p
}

func TestResolvePartitions(t *testing.T) {
	topic := func(name string) *Topic { return &Topic{Name: name} }
	by := func(n int32) *Topic { return &Topic{Name: "by", Internal: true, Partitions: n} }
	for _, c := range []struct {
		name     string
		plan     *Plan
		external map[string]int32
		by       int32
		wrong    string
	}{
		{"as many as its source", chain(by(0), []*Topic{topic("in")}), map[string]int32{"in": 5}, 5, ""},
		{"as many as the largest", chain(by(0), []*Topic{topic("in"), topic("other")}), map[string]int32{"in": 5, "other": 7}, 7, ""},
		{"what it asks for", chain(by(3), []*Topic{topic("in")}), map[string]int32{"in": 5}, 3, ""},
		{"as many as its partner", chain(by(0), []*Topic{topic("in")}, topic("table")), map[string]int32{"in": 5, "table": 2}, 2, ""},
		{
			"partners that differ", chain(by(0), []*Topic{topic("in")}, topic("table"), topic("other")),
			map[string]int32{"in": 5, "table": 2, "other": 4},
			2,
			"topics that share state must have the same number of partitions, but by has 2, table has 2, other has 4: recreate one of them, or pass the other through KeyBy",
		},
		{
			"not what its partner has", chain(by(3), []*Topic{topic("in")}, topic("table")),
			map[string]int32{"in": 5, "table": 2},
			3,
			"by has 3, table has 2",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := maps.Clone(c.external)
			counts, err := c.plan.ResolvePartitions(c.external)
			if counts["by"] != c.by {
				t.Errorf("by has %d partitions, want %d", counts["by"], c.by)
			}
			if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("error %v, want %q", err, c.wrong)
			}
			if !maps.Equal(before, c.external) {
				t.Error("the argument was changed")
			}
			if err == nil && c.plan.Subtopologies[1].Tasks(counts) != c.by {
				t.Errorf("%d tasks, want %d", c.plan.Subtopologies[1].Tasks(counts), c.by)
			}
		})
	}
}

// TestResolvePartitionsOfLoops: sub-topologies that read what they write, or what others derive from it.
func TestResolvePartitionsOfLoops(t *testing.T) {
	in := &Topic{Name: "in"}
	a, b := &Topic{Name: "a", Internal: true}, &Topic{Name: "b", Internal: true}
	source := func(topic *Topic) *Node { return &Node{Kind: "source", Reads: topic} }
	keyBy := func(topic *Topic, from ...*Node) *Node {
		n := &Node{Kind: "key-by", Writes: topic}
		for _, node := range from {
			n.Inputs = append(n.Inputs, Input{From: node})
		}
		return n
	}
	sub := func(nodes ...*Node) *Subtopology {
		s := &Subtopology{Nodes: nodes}
		for _, n := range nodes {
			if n.Reads != nil {
				s.Sources = append(s.Sources, n)
			}
		}
		return s
	}
	readsIn, readsA, readsB := source(in), source(a), source(b)
	for _, c := range []struct {
		name          string
		subs          []*Subtopology
		copartitioned [][]string
	}{
		{"its own topic", []*Subtopology{sub(readsIn, readsA, keyBy(a, readsIn)), sub(readsB, keyBy(b, readsA))}, nil},
		{"two of its own", []*Subtopology{sub(readsIn, readsA, readsB, keyBy(a, readsIn), keyBy(b, readsIn))}, nil},
		{"one after the other", []*Subtopology{sub(readsIn, readsA, readsB, keyBy(b, readsIn, readsA), keyBy(a, readsIn))}, nil},
		{"to another and back", []*Subtopology{sub(readsIn, readsB, keyBy(a, readsIn)), sub(readsA, keyBy(b, readsA))}, nil},
		{"partners", []*Subtopology{sub(readsIn, readsA, readsB, keyBy(a, readsIn), keyBy(b, readsA))}, [][]string{{"in", "a", "b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &Plan{
				Topics: map[string]*Topic{"in": in, "a": a, "b": b}, Repartitions: []*Topic{a, b},
				Subtopologies: c.subs, Copartitioned: c.copartitioned,
			}
			counts, err := p.ResolvePartitions(map[string]int32{"in": 5})
			if want := map[string]int32{"in": 5, "a": 5, "b": 5}; err != nil || !maps.Equal(counts, want) {
				t.Errorf("partitions %v, %v, want %v", counts, err, want)
			}
		})
	}
}

// TestResolvePartitionsOfPartners: repartition topics that are joined get the larger number of their inputs.
func TestResolvePartitionsOfPartners(t *testing.T) {
	small, large := &Topic{Name: "small"}, &Topic{Name: "large"}
	a, b := &Topic{Name: "a", Internal: true}, &Topic{Name: "b", Internal: true}
	writes := func(to, from *Topic) *Subtopology {
		return &Subtopology{Nodes: []*Node{{Kind: "key-by", Writes: to}}, Sources: []*Node{{Kind: "source", Reads: from}}}
	}
	joins := &Subtopology{Sources: []*Node{{Kind: "source", Reads: a}, {Kind: "source", Reads: b}}}
	for _, repartitions := range [][]*Topic{{a, b}, {b, a}} {
		p := &Plan{
			Topics: map[string]*Topic{"small": small, "large": large, "a": a, "b": b}, Repartitions: repartitions,
			Subtopologies: []*Subtopology{writes(a, small), writes(b, large), joins}, Copartitioned: [][]string{{"a", "b"}},
		}
		counts, err := p.ResolvePartitions(map[string]int32{"small": 2, "large": 3})
		if want := map[string]int32{"small": 2, "large": 3, "a": 3, "b": 3}; err != nil || !maps.Equal(counts, want) {
			t.Errorf("partitions %v, %v, want %v", counts, err, want)
		}
	}
}

// Proves: names-of-kafka-streams
func TestNames(t *testing.T) {
	by := &Topic{Name: RepartitionName("by-word"), Internal: true}
	app, copied := (&Plan{Application: "app"}).Names(), Names{Application: "copy", Prefix: "test."}
	in, out := &Topic{Name: "in"}, &Topic{Name: "out", Written: true}
	for got, want := range map[string]string{
		app.Topic(by):                             "app-by-word-repartition",
		app.Topic(in):                             "in",
		app.Topic(out):                            "out",
		app.Changelog("counts"):                   "app-counts-changelog",
		SubscriptionTopic("fk"):                   "fk-subscription-registration-topic",
		ResponseTopic("fk"):                       "fk-subscription-response-topic",
		app.Changelog(SubscriptionStore("fk")):    "app-fk-subscription-store-changelog",
		copied.Topic(by):                          "copy-by-word-repartition",
		copied.Topic(in):                          "in",
		copied.Topic(out):                         "test.out",
		(&Node{Kind: "filter"}).Label():           "filter",
		(&Node{Kind: "count", Name: "c"}).Label(): "count c",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPartitionOfAWindow(t *testing.T) {
	plain, windowed := &Topic{}, &Topic{PlainKey: codec.Windowed(codec.String).PlainKey}
	for start := range byte(50) {
		key := append([]byte("k"), 0, 0, 0, 0, 0, 0, 0, start)
		if got, want := windowed.Partition(key, 7), plain.Partition([]byte("k"), 7); got != want {
			t.Errorf("the window at %d is in partition %d, its key in %d", start, got, want)
		}
	}
	if got, want := windowed.Partition([]byte("short"), 7), plain.Partition([]byte("short"), 7); got != want {
		t.Errorf("a key without a window is in partition %d, want %d", got, want)
	}
}
