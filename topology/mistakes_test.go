package topology_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

func texts(name string) topology.Topic[string, string] {
	return topology.NewTopic(name, codec.String, codec.String)
}

func itself(v string) string { return v }

func drop(*processor.Context[string, string]) processor.Handler[string, string] {
	return func(processor.Record[string, string]) error { return nil }
}

// mistaken are builders with mistakes. In the golden file each mistake begins with the line that made it.
var mistaken = map[string]func() *topology.Builder{
	"many": func() *topology.Builder {
		b := topology.NewBuilder("my app")
		in := topology.From(b, texts("in"))

		// Names.
		topology.Count(in, "")
		topology.Count(in, "contagem às 10")
		topology.KeyBy(in, "", itself)
		topology.Process(in, "", drop)
		in.To(texts("."))
		in.To(topology.Topic[string, string]{})

		topology.Count(in, strings.Repeat("n", 249))
		topology.KeyBy(in, strings.Repeat("n", 230), itself)

		// Names that are taken.
		topology.Count(in, "counts")
		topology.Reduce(in, "counts", func(a, b string) string { return a + b })
		topology.KeyBy(in, "by-word", itself)
		topology.KeyBy(in, "by-word", itself)
		in.To(texts("by-word-repartition"))

		// State where the records of a key are not together.
		swapped := topology.MapKV(in, func(k, v string) (string, string) { return v, k })
		topology.Count(swapped, "swapped")
		topology.Count(topology.Window(swapped.Filter(isEmpty), topology.Tumbling(time.Hour)), "swapped-hourly")
		topology.Count(in.Merge(swapped), "merged")
		topology.Process(swapped, "process", drop, state.NewKeyValue("state", codec.String, codec.String))
		other := topology.ProcessKV(in, "other-keys", drop)
		topology.Reduce(other, "reduced", func(a, b string) string { return a + b })

		// Topics.
		topology.TableFrom(b, texts("in"))
		topology.From(b, topology.NewTopic("in", codec.String, codec.Int64))
		topology.Map(in, func(string) int64 { return 1 }).To(topology.NewTopic("in", codec.String, codec.Int64))
		in.To(texts("out").Partitions(3))
		in.To(texts("out").Partitions(4))
		in.To(texts("none").Partitions(-1))

		// Windows.
		topology.Window(in, topology.Tumbling(0))
		topology.Window(in, topology.Tumbling(time.Microsecond))
		topology.Window(in, topology.Hopping(time.Minute, time.Hour))
		topology.Window(in, topology.Hopping(time.Minute, 0))
		topology.Window(in, topology.Tumbling(time.Minute).Grace(-time.Second))
		topology.Window(in, topology.Tumbling(time.Minute).Grace(time.Microsecond))
		hourly := topology.Window(in, topology.Tumbling(time.Hour))
		hourly.Merge(topology.Window(in, topology.Hopping(time.Hour, time.Minute)))

		// Joins.
		three, five := topology.From(b, texts("three").Partitions(3)), topology.TableFrom(b, texts("five").Partitions(5))
		topology.Join(three, five, func(a, b string) string { return a + b })
		numbers := topology.TableFrom(b, topology.NewTopic("numbers", codec.JSON[string](), codec.String))
		topology.Join(in, numbers, func(a, b string) string { return a + b })
		topology.LeftJoin(swapped, five, func(a, b string, ok bool) string { return a + b })
		return b
	},
	"cycle": func() *topology.Builder {
		b := topology.NewBuilder("cycle")
		topology.From(b, texts("a")).To(texts("b"))
		topology.From(b, texts("b")).To(texts("c"))
		topology.From(b, texts("c")).To(texts("a"))
		return b
	},
	"own-topic": func() *topology.Builder {
		b := topology.NewBuilder("cycle")
		in := topology.From(b, texts("in"))
		topology.Count(in, "counts").ToStream().Filter(isOne)
		in.To(texts("in"))
		return b
	},
	"empty": func() *topology.Builder { return topology.NewBuilder("empty") },
	"two-builders": func() *topology.Builder {
		other := topology.NewBuilder("other")
		for i := range 100 { // more steps than the builder that is built
			topology.From(other, texts(fmt.Sprint("topic-", i)))
		}
		table, stream := topology.TableFrom(other, texts("table")), topology.From(other, texts("stream"))

		b := topology.NewBuilder("one")
		in := topology.From(b, texts("in"))
		topology.Join(in, table, func(a, b string) string { return a + b }).To(texts("out"))
		in.Merge(stream).To(texts("out"))
		return b
	},
	"built-twice": func() *topology.Builder {
		b := topology.NewBuilder("twice")
		topology.From(b, texts("in")).To(texts("out"))
		if _, err := b.Build(); err != nil {
			panic(err)
		}
		return b
	},
}

func isEmpty(v string) bool { return v == "" }
func isOne(n int64) bool    { return n == 1 }

// TestMistakes shows that Build tells all mistakes at once, each with its line and how to mend it.
func TestMistakes(t *testing.T) {
	source, err := os.ReadFile("mistakes_test.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	place := regexp.MustCompile(`mistakes_test\.go:(\d+)`)
	datadriven.RunTest(t, "testdata/mistakes", func(t *testing.T, c *datadriven.TestData) string {
		top, err := mistaken[c.CmdArgs[0].Key]().Build()
		if err == nil {
			t.Fatalf("%s: was built:\n%s", c.CmdArgs[0].Key, top)
		}
		return place.ReplaceAllStringFunc(err.Error(), func(at string) string {
			n, err := strconv.Atoi(place.FindStringSubmatch(at)[1])
			if err != nil {
				t.Fatal(err)
			}
			return "\n" + strings.TrimSpace(lines[n-1]) + "\n  "
		}) + "\n"
	})
}
