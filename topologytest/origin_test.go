package topologytest_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// fussy fails for some values, each in another way, and otherwise emits the origin of its record.
func fussy(c *processor.Context[string, string]) processor.Handler[string, string] {
	return func(r processor.Record[string, string]) error {
		switch r.Value {
		case "error":
			return fmt.Errorf("wrapped: %w", errors.ErrUnsupported)
		case "panic":
			panic("broken")
		}
		for _, h := range r.Headers {
			if h.Key != "trace" {
				return fmt.Errorf("user code can see the header %s", h.Key)
			}
		}
		return c.Emit(r.Key, c.Origin().String())
	}
}

// TestDeadLettersNameTheOriginalRecord: after one or two repartition topics, errors and dead letters name the record of
// the source topic.
//
// Proves: dead-letter-names-the-source
func TestDeadLettersNameTheOriginalRecord(t *testing.T) {
	for name, behind := range map[string]func(*topology.Stream[string, string]) *topology.Stream[string, string]{
		"one": func(s *topology.Stream[string, string]) *topology.Stream[string, string] {
			return topology.KeyBy(s, "first", func(v string) string { return v })
		},
		"two": func(s *topology.Stream[string, string]) *topology.Stream[string, string] {
			first := topology.KeyBy(s, "zeroth", func(v string) string { return "k" + v })
			return topology.KeyBy(topology.Reduce(first, "last", func(_, v string) string { return v }).ToStream(), "first", func(v string) string { return v })
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("origins")
			topology.Process(behind(topology.From(b, texts("in"))), "fussy", fussy).To(texts("out"))
			d, err := topologytest.New(built(t, b), topologytest.Config{Partitions: 3, Policies: processor.Policies{
				Process: processor.Policy{Action: processor.DeadLetter}, DeadLetters: "letters",
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			trace := []processor.Header{{Key: "trace", Value: []byte("7")}}
			for i, v := range []string{"fine", "error", "panic", "also fine"} {
				r := processor.Record[string, string]{Key: "k", Value: v, Timestamp: int64(i), Headers: trace}
				if err := topologytest.Send(d, texts("in"), r); err != nil {
					t.Fatal(err)
				}
			}
			var partition int32
			var got []string
			for _, o := range d.Outputs() {
				switch o.Topic {
				case "in":
					partition = o.Partition
				case "out":
					got = append(got, string(o.Value))
					if len(o.Headers) != 1 || o.Headers[0].Key != "trace" {
						t.Errorf("a result has the headers %v, want trace", o.Headers)
					}
				case "letters":
					got = append(got, letter(o))
				}
			}
			want := []string{
				fmt.Sprintf("in/%d at 0", partition),
				fmt.Sprintf("error: trace=7 exception=*errors.errorString message=wrapped: unsupported operation topic=in partition=%d offset=1 stage=process step=process fussy via=origins-first-repartition", partition),
				fmt.Sprintf("panic: trace=7 exception=panic string message=panic: broken topic=in partition=%d offset=2 stage=process step=process fussy stacktrace=origin_test.go via=origins-first-repartition", partition),
				fmt.Sprintf("in/%d at 3", partition),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("outputs and dead letters (-want +got):\n%s", diff)
			}
		})
	}
}

// letter formats a dead letter without line numbers.
func letter(o topologytest.Output) string {
	text := string(o.Value) + ":"
	for _, h := range o.Headers {
		value := string(h.Value)
		switch name := strings.TrimPrefix(h.Key, "__streams.errors."); name {
		case "stacktrace":
			text += " stacktrace=" + regexp.MustCompile(`origin_test\.go`).FindString(value)
		case "step", "via":
			text += " " + name + "=" + regexp.MustCompile(`^process fussy|^[a-z-]+`).FindString(value)
		default:
			text += " " + name + "=" + value
		}
	}
	return text
}

// TestErrorNamesTheOriginalRecord: an error after a repartition topic names the record of the user's topic.
//
// Proves: bad-record-stops-with-its-place
func TestErrorNamesTheOriginalRecord(t *testing.T) {
	b := topology.NewBuilder("origins")
	topology.Process(topology.KeyBy(topology.From(b, texts("in")), "by", func(v string) string { return v }), "fussy", fussy)
	d, err := topologytest.New(built(t, b), topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "fine"}, processor.Record[string, string]{Key: "k", Value: "error"})
	want := "process in/0 at 1 via origins-by-repartition/0 at 1 in process fussy (origin_test.go:"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestOriginHeaderIsOnInternalTopicsOnly.
func TestOriginHeaderIsOnInternalTopicsOnly(t *testing.T) {
	b := topology.NewBuilder("origins")
	byValue := topology.KeyBy(topology.From(b, texts("in")), "by", func(v string) string { return v })
	topology.Count(byValue, "counts").To(topology.NewTopic("counts", codec.String, codec.Int64))
	byValue.To(texts("out"))
	d, err := topologytest.New(built(t, b), topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "v"}); err != nil {
		t.Fatal(err)
	}
	for _, o := range d.Outputs() {
		_, origin := plan.SplitOrigin(o.Headers)
		if want := o.Topic == "origins-by-repartition"; (origin != nil) != want {
			t.Errorf("%s: headers %v, want an origin: %v", o.Topic, o.Headers, want)
		}
	}
}
