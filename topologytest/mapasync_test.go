package topologytest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// outside stands for a service. It remembers the ids of the calls.
type outside struct{ ids []string }

func (o *outside) call(ctx context.Context, v string) (string, error) {
	o.ids = append(o.ids, processor.CallID(ctx))
	switch {
	case strings.HasPrefix(v, "bad"):
		return "", errors.New("refused")
	case strings.HasPrefix(v, "panic"):
		panic("no such number")
	}
	return strings.ToUpper(v), nil
}

// TestMapAsync: how calls overlap, in which order results leave, and what becomes of failures. The script answers.
func TestMapAsync(t *testing.T) {
	for name, limits := range map[string]topology.Calls{
		"in-order":  {InFlight: 2},
		"any-order": {InFlight: 3, AnyOrder: true},
	} {
		t.Run(name, func(t *testing.T) {
			o := &outside{}
			b := topology.NewBuilder("avisos")
			in := topology.From(b, texts("in"))
			topology.Count(in, "pedidos").To(counts)
			sent := topology.MapAsync(in, "avisar", o.call, limits)
			sent.OnError(processor.Policy{Action: processor.DeadLetter, Retries: 1}).To(texts("out"))
			topologytest.Run(t, "testdata/map-async/"+name, built(t, b), topologytest.Config{
				HoldCalls: true, Policies: processor.Policies{DeadLetters: "letters"},
			})
		})
	}
}

// An id is that of the record and the step, also when the call is repeated after a crash.
func TestCallIDs(t *testing.T) {
	o := &outside{}
	b := topology.NewBuilder("ids")
	twice := topology.FlatMap(topology.From(b, texts("in")), strings.Fields)
	topology.MapAsync(topology.MapAsync(twice, "first", o.call, topology.Calls{}), "second", o.call, topology.Calls{}).To(texts("out"))
	d, err := topologytest.New(built(t, b), topologytest.Config{CommitEvery: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "a b"}); err != nil {
		t.Fatal(err)
	}
	first := slices.Sorted(slices.Values(o.ids))
	want := []string{"ids/in/0/0/first", "ids/in/0/0/first#1", "ids/in/0/0/first#1/second", "ids/in/0/0/first/second"}
	if diff := gocmp.Diff(want, first); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	o.ids = nil
	if err := d.Crash(); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(first, slices.Sorted(slices.Values(o.ids))); diff != "" {
		t.Errorf("ids after a crash (-before +after):\n%s", diff)
	}
}

// TestMapAsyncModel: with answers in any order, and crashes, each record has its result once, those of a key in their
// order; without AnyOrder, all are in order. No two calls of a key are in flight, and never more than allowed.
//
// Proves: calls-are-not-lost
func TestMapAsyncModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := topology.Calls{InFlight: rapid.IntRange(1, 4).Draw(t, "in flight"), AnyOrder: rapid.Bool().Draw(t, "any order")}
		conditions := drawConditions(t)
		cfg := conditions.cfg
		cfg.HoldCalls = true
		b := topology.NewBuilder("calls")
		in := topology.From(b, texts("in"))
		topology.Count(in, "counts").To(counts)
		topology.MapAsync(in, "call", func(_ context.Context, v string) (string, error) { return v, nil }, limits).To(texts("out"))
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		d, err := topologytest.New(top, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		check := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
			held := d.Held()
			if sorted := slices.Sorted(slices.Values(held)); len(held) > limits.InFlight || len(slices.Compact(sorted)) < len(held) {
				t.Fatalf("in flight are %v", held)
			}
		}
		answer := func() {
			if held := d.Held(); len(held) > 0 {
				_, key, _ := strings.Cut(rapid.SampledFrom(held).Draw(t, "answered"), " ")
				check(d.Answer("call", key))
			}
		}
		want := map[string][]string{}
		for i, key := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 30).Draw(t, "keys") {
			value := fmt.Sprint(key, i)
			want[key], want[""] = append(want[key], value), append(want[""], value)
			check(topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: key, Value: value, Timestamp: int64(i)}))
			switch conditions.event[i%len(conditions.event)] {
			case 1:
				check(d.Crash())
			case 2, 3:
				answer()
			}
		}
		for len(d.Held()) > 0 {
			answer()
		}
		check(d.Commit())
		records, err := topologytest.Read(d, texts("out"))
		check(err)
		got := map[string][]string{}
		for _, r := range records {
			got[r.Key], got[""] = append(got[r.Key], r.Value), append(got[""], r.Value)
		}
		if limits.AnyOrder {
			delete(got, "")
			delete(want, "")
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v, %s (-want +got):\n%s", limits, conditions, diff)
		}
	})
}

// The cost of a record in a MapAsync whose outside answers at once.
func BenchmarkMapAsync(b *testing.B) {
	builder := topology.NewBuilder("bench")
	in := topology.From(builder, texts("in"))
	topology.MapAsync(in, "call", func(_ context.Context, v string) (string, error) { return v, nil }, topology.Calls{}).To(texts("out"))
	top, err := builder.Build()
	if err != nil {
		b.Fatal(err)
	}
	d, err := topologytest.New(top, topologytest.Config{CommitEvery: 1000, Start: time.UnixMilli(0)})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	b.ReportAllocs()
	for b.Loop() {
		if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "v"}); err != nil {
			b.Fatal(err)
		}
	}
}
