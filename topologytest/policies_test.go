package topologytest_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// reading is a value that can be invalid, as JSON or for the handler.
type reading struct {
	Sensor string `json:"sensor"`
	Level  int64  `json:"level"`
}

var (
	readings = topology.NewTopic("readings", codec.String, codec.JSON[reading]())
	sums     = topology.NewTopic("sums", codec.String, codec.Int64)
	sum      = state.NewKeyValue("sum", codec.String, codec.Int64)
	handling = state.NewKeyValue("handling", codec.String, codec.Int64)
)

// addUp changes two stores and emits before it fails, so a failure must roll back everything. flaky returns how often a
// level fails before it succeeds.
func addUp(flaky map[int64]int) func(c *processor.Context[string, int64]) processor.Handler[string, reading] {
	return func(c *processor.Context[string, int64]) processor.Handler[string, reading] {
		sum, handling := sum.In(c), handling.In(c)
		return func(r processor.Record[string, reading]) error {
			change, err := sum.Update(r.Key, r.Timestamp, func(old int64, _ bool) int64 { return old + r.Value.Level })
			if err != nil {
				return err
			}
			if _, err := handling.Update(r.Key, r.Timestamp, func(n int64, _ bool) int64 { return n + 1 }); err != nil {
				return err
			}
			if err := c.Emit(r.Key, change.New); err != nil {
				return err
			}
			switch {
			case flaky[r.Value.Level] > 0:
				flaky[r.Value.Level]--
				return fmt.Errorf("level %d fails", r.Value.Level)
			case r.Value.Level < 0:
				return errors.New("a level is not negative")
			case r.Value.Level == 666:
				panic("no such level")
			}
			return nil
		}
	}
}

func sensors(t *testing.T, flaky map[int64]int) *topology.Topology {
	t.Helper()
	b := topology.NewBuilder("sensors")
	topology.Process(topology.From(b, readings), "add-up", addUp(flaky), sum, handling).To(sums)
	return built(t, b)
}

func built(t *testing.T, b *topology.Builder) *topology.Topology {
	t.Helper()
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// TestPolicies runs one script for each policy, with invalid JSON, an error, a panic, and a handler that fails twice.
//
// Proves: bad-record-stops-with-its-place, bad-record-follows-policy, failed-record-leaves-no-trace
func TestPolicies(t *testing.T) {
	skip, letter := processor.Policy{Action: processor.Skip}, processor.Policy{Action: processor.DeadLetter}
	for name, policies := range map[string]processor.Policies{
		"fail":        {},
		"skip":        {Decode: skip, Process: skip},
		"dead-letter": {Decode: letter, Process: letter, DeadLetters: "letters"},
		"retry":       {Decode: skip, Process: processor.Policy{Action: processor.Skip, Retries: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			flaky := map[int64]int{1000: 2, 2000: 3}
			topologytest.Run(t, "testdata/policy-"+name, sensors(t, flaky), topologytest.Config{Policies: policies})
		})
	}
}

// TestRetriesRunOut: after the last retry the application fails at the record, and processes the same record again
// after a restart.
//
// Proves: bad-record-stops-with-its-place
func TestRetriesRunOut(t *testing.T) {
	cfg := topologytest.Config{Policies: processor.Policies{Process: processor.Policy{Retries: 2}}}
	d, err := topologytest.New(sensors(t, map[int64]int{1: 4}), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = topologytest.Send(d, readings, processor.Record[string, reading]{Key: "a", Value: reading{Level: 1}})
	if err == nil || !strings.Contains(err.Error(), "process readings/0 at 0 in process add-up (policies_test.go:") || !strings.HasSuffix(err.Error(), "level 1 fails") {
		t.Errorf("error %v, want that of the third failure", err)
	}
	if err := d.Crash(); err != nil {
		t.Fatal(err)
	}
	got, err := topologytest.Read(d, sums)
	want := []processor.Record[string, int64]{{Key: "a", Value: 1}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("after a restart (-want +got): %v\n%s", err, diff)
	}
}

// TestDeadLetter: a dead letter has the bytes and the headers of the record, and headers that describe the error.
//
// Proves: dead-letter-names-the-source
func TestDeadLetter(t *testing.T) {
	cfg := topologytest.Config{Policies: processor.Policies{
		Decode:      processor.Policy{Action: processor.DeadLetter},
		Process:     processor.Policy{Action: processor.DeadLetter},
		DeadLetters: "letters",
	}}
	d, err := topologytest.New(sensors(t, nil), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	raw := topology.NewTopic("readings", codec.String, codec.String)
	own := []processor.Header{{Key: "trace", Value: []byte("7")}}
	if err := topologytest.Send(d, raw,
		processor.Record[string, string]{Key: "a", Value: `{"level":1}`, Timestamp: 1, Headers: own},
		processor.Record[string, string]{Key: "a", Value: `{"level":`, Timestamp: 2, Headers: own},
		processor.Record[string, string]{Key: "a", Value: `{"level":-1}`, Timestamp: 3},
	); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range d.Outputs() {
		if o.Topic != "letters" {
			continue
		}
		text := fmt.Sprintf("@%d %s=%s", o.Timestamp, o.Key, o.Value)
		for _, h := range o.Headers {
			text += fmt.Sprintf("\n%s: %s", h.Key, regexp.MustCompile(`\.go:\d+`).ReplaceAll(h.Value, []byte(".go:n")))
		}
		got = append(got, text)
	}
	want := []string{
		`@2 a={"level":
trace: 7
__streams.errors.exception: *json.SyntaxError
__streams.errors.message: value: codec: json[topologytest_test.reading]: unexpected end of JSON input
__streams.errors.topic: readings
__streams.errors.partition: 0
__streams.errors.offset: 1
__streams.errors.stage: decode
__streams.errors.step: `,
		`@3 a={"level":-1}
__streams.errors.exception: *errors.errorString
__streams.errors.message: a level is not negative
__streams.errors.topic: readings
__streams.errors.partition: 0
__streams.errors.offset: 2
__streams.errors.stage: process
__streams.errors.step: process add-up (policies_test.go:n)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// TestHeaders: results inherit the headers of their record, also through repartition topics; results of timers have
// none.
func TestHeaders(t *testing.T) {
	b := topology.NewBuilder("headers")
	in := topology.From(b, texts("in"))
	upper := topology.Map(topology.KeyBy(in, "by-value", func(v string) string { return v }), strings.ToUpper)
	upper.To(texts("upper"))
	topology.Count(upper, "counts").To(counts)
	topology.Process(upper, "timed", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		c.Schedule(10*time.Millisecond, processor.StreamTime, func(time.Time) error { return c.Emit("timer", "fired") })
		return func(r processor.Record[string, string]) error {
			own := append(r.Headers[:len(r.Headers):len(r.Headers)], processor.Header{Key: "own", Value: []byte("1")})
			return c.Forward(processor.Record[string, string]{Key: r.Key, Tombstone: true, Timestamp: 77, Headers: own})
		}
	}).To(texts("timed"))
	d, err := topologytest.New(built(t, b), topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	trace := []processor.Header{{Key: "trace", Value: []byte("7")}}
	if err := topologytest.Send(d, texts("in"),
		processor.Record[string, string]{Key: "k", Value: "a", Timestamp: 5, Headers: trace},
		processor.Record[string, string]{Key: "k", Value: "b", Timestamp: 15},
	); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range d.Outputs() {
		if !strings.HasSuffix(o.Topic, "-changelog") && o.Topic != "in" {
			got = append(got, fmt.Sprintf("%s @%d %s=%q %s", o.Topic, o.Timestamp, o.Key, o.Value, o.Headers))
		}
	}
	want := []string{
		"headers-by-value-repartition @5 a=\"a\" [{trace 7} {__rio.origin \x00\x00in}]",
		"headers-by-value-repartition @15 b=\"b\" [{__rio.origin \x00\x01in}]",
		`upper @5 a="A" [{trace 7}]`,
		`counts @5 a="\x00\x00\x00\x00\x00\x00\x00\x01" [{trace 7}]`,
		`timed @77 a="" [{trace 7} {own 1}]`,
		`timed @10 timer="fired" []`,
		`upper @15 b="B" []`,
		`counts @15 b="\x00\x00\x00\x00\x00\x00\x00\x01" []`,
		`timed @77 b="" [{own 1}]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// broken is user code that panics.
func broken[V, W any](V) W { panic("broken") }

// TestPanics: a panic of user code is an error that names the step and the line that declared it.
//
// Proves: panic-is-an-error
func TestPanics(t *testing.T) {
	for step, declare := range map[string]func(b *topology.Builder, in *topology.Stream[string, string]){
		"map": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			topology.Map(in, broken[string, string])
		},
		"map-kv": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			topology.MapKV(in, func(k, v string) (string, string) { panic("broken") })
		},
		"flat-map": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			topology.FlatMap(in, broken[string, []string])
		},
		"filter": func(_ *topology.Builder, in *topology.Stream[string, string]) { in.Filter(broken[string, bool]) },
		"branch": func(_ *topology.Builder, in *topology.Stream[string, string]) { in.Branch(broken[string, bool]) },
		"peek": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			in.Peek(func(processor.Record[string, string]) { panic("broken") })
		},
		"key-by by-value": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			topology.KeyBy(in, "by-value", broken[string, string])
		},
		"aggregate sums": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			topology.Aggregate(in, "sums", func(string, string) string { panic("broken") })
		},
		"left-join table": func(b *topology.Builder, in *topology.Stream[string, string]) {
			topology.LeftJoin(in, topology.TableFrom(b, texts("table")), func(a, b string, ok bool) string { panic("broken") })
		},
		"process handler": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			topology.Process(in, "handler", func(*processor.Context[string, string]) processor.Handler[string, string] {
				return func(processor.Record[string, string]) error { panic("broken") }
			})
		},
		"process downstream": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			again := topology.Process(in, "upstream", func(c *processor.Context[string, string]) processor.Handler[string, string] {
				return func(r processor.Record[string, string]) error { return c.Emit(r.Key, r.Value) }
			})
			topology.Process(again, "downstream", func(*processor.Context[string, string]) processor.Handler[string, string] {
				return func(processor.Record[string, string]) error { return errors.New("broken") }
			})
		},
		"sink": func(_ *topology.Builder, in *topology.Stream[string, string]) {
			in.To(topology.NewTopic("out", codec.String, codec.Codec[string](brokenCodec{codec.String})))
		},
	} {
		t.Run(step, func(t *testing.T) {
			b := topology.NewBuilder("panics")
			declare(b, topology.From(b, texts("in")))
			d, err := topologytest.New(built(t, b), topologytest.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			err = topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "v"})
			want := regexp.MustCompile(`^process in/0 at 0 in ` + step + ` \(policies_test\.go:\d+\): (panic: )?broken`)
			if err == nil || !want.MatchString(err.Error()) {
				t.Errorf("error %v, want %v", err, want)
			}
			var failure *processor.Error
			if !errors.As(err, &failure) || failure.Origin != (processor.Origin{Topic: "in"}) {
				t.Errorf("%#v is no *processor.Error of in/0 at 0", err)
			}
		})
	}
}

// brokenCodec panics when it encodes.
type brokenCodec struct{ codec.Codec[string] }

func (brokenCodec) Append([]byte, string) ([]byte, error) { panic("broken") }

// TestPanicsElsewhere: panics in user code other than handlers.
//
// Proves: panic-is-an-error
func TestPanicsElsewhere(t *testing.T) {
	send := func(topic topology.Topic[string, string], ms ...int64) func(*topologytest.Driver) error {
		return func(d *topologytest.Driver) error {
			for _, ms := range ms {
				r := processor.Record[string, string]{Key: "k", Value: "v", Timestamp: ms}
				if err := topologytest.Send(d, texts(topic.Name()), r); err != nil {
					return err
				}
			}
			return nil
		}
	}
	timed := func(clock processor.Clock) func(*topology.Builder) {
		return func(b *topology.Builder) {
			topology.Process(topology.From(b, texts("in")), "timed", func(c *processor.Context[string, string]) processor.Handler[string, string] {
				c.Schedule(10*time.Millisecond, clock, func(time.Time) error { panic("broken") })
				return func(processor.Record[string, string]) error { return nil }
			})
		}
	}
	for name, c := range map[string]struct {
		declare func(*topology.Builder)
		do      func(*topologytest.Driver) error
		want    string
	}{
		"time": {
			func(b *topology.Builder) {
				topology.From(b, texts("in").TimeFrom(broken[string, time.Time])).To(texts("out"))
			},
			send(texts("in"), 0),
			`^decode in/0 at 0: panic: broken`,
		},
		"start of a step": {
			func(b *topology.Builder) {
				topology.Process(topology.From(b, texts("in")), "handler", func(*processor.Context[string, string]) processor.Handler[string, string] { panic("broken") })
			},
			nil,
			`^task 0_0: process handler \(policies_test\.go:\d+\): panic: broken`,
		},
		"stream-time timer": {timed(processor.StreamTime), send(texts("in"), 5, 15), `^process timer in process timed.*: panic: broken`},
		"wall-clock timer": {
			timed(processor.WallClock), func(d *topologytest.Driver) error { return d.Advance(time.Second) },
			`^process timer in process timed.*: panic: broken`,
		},
		"store": {
			func(b *topology.Builder) {
				topology.Reduce(topology.From(b, texts("in")), "rows", func(a, b string) string { return a + b }).
					Encoded(brokenCodec{codec.String})
			},
			send(texts("in"), 0),
			`^task 0_0: .*panic: broken`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("panics")
			c.declare(b)
			d, err := topologytest.New(built(t, b), topologytest.Config{})
			if c.do != nil {
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				err = c.do(d)
			}
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
