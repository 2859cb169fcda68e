package topologytest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestAggregateSettings: where a row begins and when it ends, with and without windows.
func TestAggregateSettings(t *testing.T) {
	b := topology.NewBuilder("settings")
	in := topology.From(b, texts("in"))
	start := func() string { return "begin" }
	over := func(v string) bool { return strings.HasSuffix(v, "end") }
	add := func(sum, v string) string { return sum + "+" + v }
	topology.Aggregate(in, "sums", add).DeleteWhen(over).Initially(start).To(texts("sums"))
	topology.Count(in, "counts").Initially(func() int64 { return 10 }).DeleteWhen(func(n int64) bool { return n == 13 }).
		To(topology.NewTopic("counts", codec.String, codec.Int64))
	topology.Reduce(in, "last", func(_, v string) string { return v }).DeleteWhen(over).To(texts("last"))
	windows := topology.Window(in, topology.Tumbling(10*time.Millisecond))
	topology.Aggregate(windows, "windows", add).Initially(start).DeleteWhen(over).To(windowed("windows", 10*time.Millisecond))
	topologytest.Run(t, "testdata/aggregate-settings", built(t, b), topologytest.Config{})
}

// TestTopologyThatWasNotBuilt: whoever ignores Build's error gets another one, not a crash.
func TestTopologyThatWasNotBuilt(t *testing.T) {
	top, _ := topology.NewBuilder("nothing").Build()
	if _, err := topologytest.New(top, topologytest.Config{}); err == nil || !strings.Contains(err.Error(), "Build returned an error") {
		t.Errorf("error %v, want one that names Build", err)
	}
}

// payload is what protoc-gen-go makes of a oneof: JSON cannot bring it back.
type payload interface{ isPayload() }

type card struct{ Number string }

func (card) isPayload() {}

type payment struct {
	User    string
	Payload payload
}

// paymentCodec stands for the codec of a message with a oneof.
type paymentCodec struct{}

func (paymentCodec) Append(dst []byte, p payment) ([]byte, error) {
	return fmt.Appendf(dst, "%s|%s", p.User, p.Payload.(card).Number), nil
}

func (paymentCodec) Decode(data []byte) (payment, error) {
	user, number, ok := strings.Cut(string(data), "|")
	if !ok {
		return payment{}, errors.New("no payment")
	}
	return payment{user, card{number}}, nil
}

func (paymentCodec) String() string { return "payment" }

// TestACodecGoesThroughARepartition: a value with an interface within is written and read by the codec of its topic,
// behind a Map, a Join and a second KeyBy.
func TestACodecGoesThroughARepartition(t *testing.T) {
	payments := topology.NewTopic("payments", codec.String, codec.Codec[payment](paymentCodec{}))
	results := topology.NewTopic("results", codec.String, codec.Codec[payment](paymentCodec{}))
	b := topology.NewBuilder("payments")
	loud := topology.Map(topology.From(b, payments), func(p payment) payment { p.User += "!"; return p })
	byUser := topology.KeyBy(loud, "by-user", func(p payment) string { return p.User })
	named := topology.Join(byUser, topology.Count(byUser, "counts"), func(p payment, n int64) payment {
		p.User = fmt.Sprint(p.User, n)
		return p
	})
	byNumber := topology.KeyBy(named, "by-number", func(p payment) string { return p.Payload.(card).Number })
	topology.Reduce(byNumber, "last", func(_, p payment) payment { return p }).To(results)
	d, err := topologytest.New(built(t, b), topologytest.Config{Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := topologytest.Send(d, payments, processor.Record[string, payment]{Key: "k", Value: payment{"ana", card{"7"}}, Timestamp: 1}); err != nil {
		t.Fatal(err)
	}
	got, err := topologytest.Read(d, results)
	want := []processor.Record[string, payment]{{Key: "7", Value: payment{"ana!1", card{"7"}}, Timestamp: 1}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("results (-want +got): %v\n%s", err, diff)
	}
}

// TestRecords: every step can see the whole record.
func TestRecords(t *testing.T) {
	type record = processor.Record[string, string]
	b := topology.NewBuilder("records")
	in := topology.From(b, texts("in"))
	topology.Values(topology.Records(in).Filter(func(r record) bool { return r.Key != "hidden" && !r.NoKey })).To(texts("kept"))
	topology.Aggregate(topology.Records(in), "all", func(all string, r record) string {
		if r.Tombstone {
			return all + "/gone"
		}
		return fmt.Sprint(all, "/", r.Value, "@", r.Timestamp)
	}).To(texts("all"))
	later := topology.Map(topology.Records(in), func(r record) record { r.Timestamp += 1000; return r })
	topology.Values(later).To(texts("later"))
	swapped := topology.FromRecords(topology.Map(topology.Records(in), func(r record) record { r.Key, r.Value = r.Value, r.Key; return r }))
	topology.Count(topology.KeyBy(topology.Records(swapped), "by-both", func(r record) string { return r.Key + r.Value }), "by-both").
		To(topology.NewTopic("counts", codec.String, codec.Int64))
	topologytest.Run(t, "testdata/records", built(t, b), topologytest.Config{})
}

// TestRecordsKeepHeaders: a record goes through a repartition topic as the value, and nothing of it is lost.
func TestRecordsKeepHeaders(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		record := processor.Record[string, string]{Timestamp: rapid.Int64Range(0, 1<<43).Draw(rt, "time")}
		if record.NoKey = rapid.Bool().Draw(rt, "no key"); !record.NoKey {
			record.Key = rapid.String().Draw(rt, "key")
		}
		if record.Tombstone = rapid.Bool().Draw(rt, "tombstone"); !record.Tombstone {
			record.Value = rapid.String().Draw(rt, "value")
		}
		for range rapid.IntRange(0, 3).Draw(rt, "headers") {
			h := processor.Header{Key: rapid.String().Draw(rt, "name")}
			if rapid.Bool().Draw(rt, "has value") {
				h.Value = append([]byte{}, rapid.String().Draw(rt, "header")...)
			}
			record.Headers = append(record.Headers, h)
		}
		b := topology.NewBuilder("records")
		moved := topology.KeyBy(topology.Records(topology.From(b, texts("in"))), "moved", func(processor.Record[string, string]) string { return "k" })
		topology.FromRecords(moved).To(texts("out"))
		d, err := topologytest.New(built(t, b), topologytest.Config{})
		if err != nil {
			rt.Fatal(err)
		}
		defer d.Close()
		if err := topologytest.Send(d, texts("in"), record); err != nil {
			rt.Fatal(err)
		}
		got, err := topologytest.Read(d, texts("out"))
		if diff := cmp.Diff([]processor.Record[string, string]{record}, got); diff != "" || err != nil {
			rt.Fatalf("(-want +got): %v\n%s", err, diff)
		}
	})
}
