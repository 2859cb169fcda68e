package topology_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// shape is an interface, which JSON cannot decode; drawing contains shapes.
type shape interface{ Area() float64 }

type drawing struct {
	Name   string
	Shapes []shape
}

// named is a codec that only differs from others by its name.
type named[T any] struct {
	codec.Codec[T]
	name string
}

func (c named[T]) String() string { return c.name }

func own[T any]() codec.Codec[T] { return named[T]{codec.JSON[T](), "own"} }

// TestValueCodecsAreCarried: as long as the type of the values does not change, every operator uses the codec of the
// topic. For a new type, a setting, EncodeAs or the default applies.
func TestValueCodecsAreCarried(t *testing.T) {
	drawings := topology.NewTopic("in", codec.String, own[drawing]())
	itself := func(d drawing) drawing { return d }
	handler := func(c *processor.Context[string, drawing]) processor.Handler[string, drawing] {
		return func(r processor.Record[string, drawing]) error { return c.Forward(r) }
	}
	join := func(d drawing, _ string) drawing { return d }
	type stream = *topology.Stream[string, drawing]
	for name, step := range map[string]func(*topology.Builder, stream) stream{
		"nothing": func(_ *topology.Builder, s stream) stream { return s },
		"filter":  func(_ *topology.Builder, s stream) stream { return s.Filter(func(drawing) bool { return true }) },
		"map":     func(_ *topology.Builder, s stream) stream { return topology.Map(s, itself) },
		"flat-map": func(_ *topology.Builder, s stream) stream {
			return topology.FlatMap(s, func(d drawing) []drawing { return nil })
		},
		"map-kv": func(_ *topology.Builder, s stream) stream {
			return topology.MapKV(s, func(k string, d drawing) (string, drawing) { return k, d })
		},
		"branch": func(_ *topology.Builder, s stream) stream {
			_, rest := s.Branch(func(drawing) bool { return true })
			return rest
		},
		"process":    func(_ *topology.Builder, s stream) stream { return topology.Process(s, "step", handler) },
		"process-kv": func(_ *topology.Builder, s stream) stream { return topology.ProcessKV(s, "step", handler) },
		"join": func(b *topology.Builder, s stream) stream {
			return topology.Join(s, topology.TableFrom(b, texts("rows")), join)
		},
		"merge": func(_ *topology.Builder, s stream) stream { return topology.Map(s, itself).Merge(s) },
		"records": func(_ *topology.Builder, s stream) stream {
			return topology.Values(topology.Records(s))
		},
		"from-records": func(_ *topology.Builder, s stream) stream {
			return topology.FromRecords(topology.Records(s))
		},
		"key-by": func(_ *topology.Builder, s stream) stream {
			return topology.KeyBy(s, "first", func(d drawing) string { return d.Name })
		},
		"table": func(b *topology.Builder, _ stream) stream {
			return topology.TableFrom(b, topology.NewTopic("table", codec.String, own[drawing]())).ToStream()
		},
		"new type, Encoded": func(_ *topology.Builder, s stream) stream {
			return topology.Map(topology.Map(s, func(drawing) int { return 0 }), func(int) drawing { return drawing{} }).Encoded(own[drawing]())
		},
		"new type, EncodeAs": func(b *topology.Builder, s stream) stream {
			topology.EncodeAs(b, own[drawing]())
			return topology.Map(topology.Map(s, func(drawing) int { return 0 }), func(int) drawing { return drawing{} })
		},
		"Encoded before EncodeAs": func(b *topology.Builder, s stream) stream {
			topology.EncodeAs(b, codec.JSON[drawing]())
			return topology.Map(topology.Map(s, func(drawing) int { return 0 }), func(int) drawing { return drawing{} }).Encoded(own[drawing]())
		},
		"two codecs merged, Encoded": func(b *topology.Builder, s stream) stream {
			other := topology.From(b, topology.NewTopic("other", codec.String, codec.JSON[drawing]()))
			return s.Merge(other).Encoded(own[drawing]())
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("forms")
			s := step(b, topology.From(b, drawings))
			topology.KeyBy(s, "by-name", func(d drawing) string { return d.Name })
			top, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			if want := "by-name: string → own to forms-by-name-repartition"; !strings.Contains(top.String(), want) {
				t.Errorf("want %q in\n%s", want, top)
			}
		})
	}
}

// TestStoresAreEncoded: Reduce uses the codec of its stream; the value of Aggregate has a new type.
func TestStoresAreEncoded(t *testing.T) {
	top := build(t, func(b *topology.Builder) {
		in := topology.From(b, topology.NewTopic("in", codec.String, own[drawing]()))
		topology.Reduce(topology.Map(in, func(d drawing) drawing { return d }), "last", func(_, d drawing) drawing { return d })
		topology.Aggregate(in, "names", func(names string, d drawing) string { return names + d.Name })
		topology.Aggregate(in, "whole", func(_, d drawing) drawing { return d }).Encoded(own[drawing]())
		hourly := topology.Window(in, topology.Tumbling(time.Hour).Grace(time.Hour))
		topology.Count(hourly, "per-hour").Retention(24*time.Hour).TopicConfig("segment.ms", "60000").TopicConfig("min.cleanable.dirty.ratio", "0.1")
		topology.KeyBy(in, "by-name", func(d drawing) string { return d.Name }).KeyEncoded(own[string]()).TopicConfig("max.message.bytes", "2000000")
	})
	for _, want := range []string{
		"store last: key-value string → own, changelog",
		"store names: key-value string → string, changelog",
		"store whole: key-value string → own, changelog",
		"changelog shop-per-hour-changelog (min.cleanable.dirty.ratio=0.1, segment.ms=60000)",
		"key-by by-name: own → own to shop-by-name-repartition (max.message.bytes=2000000)",
	} {
		if !strings.Contains(top.String(), want) {
			t.Errorf("want %q in\n%s", want, top)
		}
	}
	for _, store := range top.Plan().Subtopologies[0].Stores {
		if store.Name() == "per-hour" && store.Retention() != 24*time.Hour {
			t.Errorf("windows are kept for %v, want a day", store.Retention())
		}
	}
}
