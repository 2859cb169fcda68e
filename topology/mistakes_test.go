package topology_test

import (
	"context"
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

// mistaken lists builders with mistakes. In the golden file, each mistake begins with the line that caused it.
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

		// Duplicate names.
		topology.Count(in, "counts")
		topology.Reduce(in, "counts", func(a, b string) string { return a + b })
		topology.KeyBy(in, "by-word", itself)
		topology.KeyBy(in, "by-word", itself)
		in.To(texts("by-word-repartition"))

		// Stateful operators on streams that are not partitioned by key.
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
	"suppress": func() *topology.Builder {
		b := topology.NewBuilder("suppress")
		in := topology.From(b, texts("in"))
		rows := topology.ToTable(in, "rows")
		hours := topology.Count(topology.Window(in, topology.Tumbling(time.Hour)), "hours")
		limit, closes := topology.UntilTimeLimit(time.Hour), topology.UntilWindowCloses()
		topology.Suppress(rows, "", limit)
		topology.Suppress(rows, "nothing", topology.Suppression{})
		topology.Suppress(rows, "rows", limit)
		topology.Suppress(topology.Versioned(topology.TableFrom(b, texts("versions")), time.Hour), "versioned", limit)
		topology.Suppress(rows, "negative", topology.UntilTimeLimit(-time.Second))
		topology.Suppress(rows, "too-fine", topology.UntilTimeLimit(time.Microsecond))
		topology.Suppress(rows, "bounds", limit.MaxRecords(-1))
		topology.Suppress(rows, "never-full", limit.EmitEarlyWhenFull())
		topology.Suppress(hours, "early", closes.MaxBytes(1000).EmitEarlyWhenFull())
		topology.Suppress(hours, "two-graces", closes.Grace(time.Hour))
		topology.Suppress(rows, "no-windows", closes)
		topology.Suppress(topology.Count(topology.Window(in, topology.Unlimited(time.UnixMilli(0))), "all"), "never", closes)
		topology.Suppress(topology.TableFrom(b, topology.NewTopic("unknown", codec.Windowed(codec.String), codec.Int64)), "no-end", closes)
		topology.Suppress(hours, "kept", closes).Retention(48 * time.Hour)
		return b
	},
	"late": func() *topology.Builder {
		b := topology.NewBuilder("late")
		in := topology.From(b, texts("in"))
		in.LateFor(in.Filter(isEmpty))
		in.LateFor(topology.Count(in, "counts"))
		in.Filter(isEmpty).LateFor(topology.Count(topology.Window(in, topology.Tumbling(time.Hour)), "hours"))
		return b
	},
	"final": func() *topology.Builder {
		b := topology.NewBuilder("final")
		in := topology.From(b, texts("in"))
		first, second := topology.Window(in, topology.Tumbling(time.Hour)), topology.Window(in, topology.Tumbling(time.Hour))
		counts := topology.Count(first, "counts")
		topology.Final(topology.Final(counts))
		topology.Final(topology.Count(first.Merge(second), "merged"))
		topology.Final(topology.JoinTables(counts, topology.Count(second, "second"), func(n, m int64) int64 { return n + m }))
		topology.Final(topology.Count(topology.Window(in, topology.Unlimited(time.UnixMilli(0))), "all"))
		topology.Final(topology.TableFrom(b, topology.NewTopic("hourly", topology.WindowCodec(topology.Tumbling(time.Hour), codec.String), codec.Int64)))
		processed := topology.Process(first, "processed", func(*processor.Context[codec.WindowKey[string], string]) processor.Handler[codec.WindowKey[string], string] {
			return func(processor.Record[codec.WindowKey[string], string]) error { return nil }
		})
		topology.Final(topology.Count(processed, "of-processed"))
		return b
	},
	"sessions": func() *topology.Builder {
		b := topology.NewBuilder("sessions")
		in := topology.From(b, texts("in"))
		topology.Window(in, topology.Sessions(0))
		topology.Window(in, topology.Sessions(time.Second/3))
		topology.Window(in, topology.Sliding(0))
		topology.Count(topology.Window(in, topology.Sliding(time.Minute)), "slid").Retention(time.Minute)
		topology.Records(topology.Window(in, topology.Sliding(time.Minute)))
		sessions := topology.Window(in, topology.Sessions(time.Minute))
		join := func(a, b string) string { return a + b }
		topology.Aggregate(sessions, "no-merge", join)
		topology.Reduce(sessions, "reduced", join).Merging(join)
		topology.Aggregate(sessions, "nil-merge", join).Merging(nil)
		topology.Aggregate(in, "no-sessions", join).Merging(join)
		topology.Aggregate(sessions, "short", join).Merging(join).Retention(time.Second)

		// Steps that see the windows before they are known.
		topology.Count(topology.Map(sessions.Filter(isEmpty), itself).Merge(sessions), "counted")
		topology.Records(sessions)
		topology.MapKV(sessions.FilterNot(isEmpty), func(k codec.WindowKey[string], v string) (string, string) { return k.Key, v })
		topology.ToTable(sessions, "table")
		sessions.To(topology.NewTopic("sessions", topology.WindowCodec(topology.Sessions(time.Minute), codec.String), codec.String))

		// Keys of other windows.
		topology.Reduce(sessions, "short-keys", join).To(windowedTexts("out", time.Minute))
		return b
	},
	"calendar": func() *topology.Builder {
		b := topology.NewBuilder("calendar")
		in := topology.From(b, texts("in"))
		topology.Window(in, topology.Daily(nil))
		topology.Window(in, topology.Monthly(time.Local))
		topology.Window(in, topology.Weekly(time.UTC, 7))
		topology.Window(in, topology.Daily(time.UTC).Grace(-1))
		topology.Window(in, topology.Unlimited(time.UnixMilli(-1)))
		topology.Window(in, topology.Unlimited(time.UnixMilli(0)).Grace(time.Hour))
		days := topology.Window(in, topology.Daily(time.UTC))
		days.Merge(topology.Window(in, topology.Weekly(time.UTC, time.Monday)))
		days.To(topology.NewTopic("weeks", topology.WindowCodec(topology.Weekly(time.UTC, time.Monday), codec.String), codec.String))
		days.To(windowedTexts("days", 24*time.Hour))
		return b
	},
	"routes": func() *topology.Builder {
		b := topology.NewBuilder("routes")
		in := topology.From(b, texts("in"))
		in.Split()
		split := in.Split()
		split.Branch("", isEmpty)
		split.Branch("à vista", isEmpty)
		split.Branch("one", isEmpty)
		split.Branch("one", isEmpty)
		split.Branch("two", nil)
		split.Default("rest")
		split.Default("other")
		in.Foreach(nil)
		topology.From[string, string](b)
		topology.From(b, texts("in"), texts("in"))
		topology.From(b, texts("in"), topology.NewTopic("json", codec.JSON[string](), codec.String))
		name := func(r processor.Record[string, string]) string { return r.Value }
		topology.From(b, texts("named").NamedBy(name))
		topology.TableFrom(b, texts("named-table").NamedBy(name))
		in.To(texts("out").NamedBy(nil))
		in.To(texts("out").NamedBy(name).Partitions(3))
		in.To(texts("out").PartitionedBy(nil))
		in.To(topology.Topic[string, string]{}.NamedBy(name))
		return b
	},
	"distinct": func() *topology.Builder {
		b := topology.NewBuilder("distinct")
		in := topology.From(b, texts("in"))
		minute := topology.Within(time.Minute)
		topology.Distinct(in, "", itself, minute)
		topology.Distinct(in, "às 10", itself, minute)
		topology.Distinct[string, string, string](in, "nil", nil, minute)
		topology.Distinct(in, "none", itself, topology.Interval{})
		topology.Distinct(in, "later", itself, minute.Before(-time.Second))
		topology.Distinct(in, "earlier", itself, minute.After(-time.Second))
		topology.Distinct(in, "shapes", func(string) shape { return nil }, minute)
		topology.Distinct(topology.MapKV(in, swap), "moved", itself, minute)
		topology.Distinct(in, "twice", itself, minute)
		topology.Count(in, "twice")
		return b
	},
	"calls": func() *topology.Builder {
		b := topology.NewBuilder("calls")
		in := topology.From(b, texts("in"))
		call := func(context.Context, string) (string, error) { return "", nil }
		topology.MapAsync(in, "", call, topology.Calls{})
		topology.MapAsync[string, string, string](in, "nil", nil, topology.Calls{})
		topology.MapAsync(in, "none", call, topology.Calls{InFlight: -1})
		topology.MapAsync(in, "past", call, topology.Calls{Timeout: -time.Second})
		topology.MapAsync(in, "twice", call, topology.Calls{})
		topology.MapAsync(in, "twice", call, topology.Calls{})
		return b
	},
	"own-topic": func() *topology.Builder {
		b := topology.NewBuilder("cycle")
		in := topology.From(b, texts("in"))
		topology.Count(in, "counts").ToStream().Filter(isOne)
		in.To(texts("in"))
		return b
	},
	"windows": func() *topology.Builder {
		b := topology.NewBuilder("windows")
		in := topology.From(b, texts("in"))
		hourly := windowedTexts("hourly", time.Hour)
		topology.Window(in, topology.Windows{})

		// Window keys that do not match the window of the stream.
		minutes := topology.Window(in, topology.Tumbling(time.Minute).Grace(time.Hour))
		minutes.To(hourly)
		minutes.Filter(isEmpty).To(hourly)
		topology.Reduce(minutes, "longest", func(a, b string) string { return a }).To(hourly)
		minutes.To(windowedTexts("minutes", time.Minute))
		minutes.To(windowedTexts("unknown", 0))
		topology.Window(in, topology.Hopping(time.Hour, time.Minute)).To(hourly)
		topology.From(b, hourly).To(windowedTexts("minutes", time.Minute))

		// A codec that does not tell the position of the window in the key.
		minutes.To(topology.NewTopic("hidden", hidden{codec.Windowed(codec.String)}, codec.String))
		topology.From(b, topology.NewTopic("json", codec.JSON[codec.WindowKey[string]](), codec.String))

		// Invalid limits for times in the future.
		topology.TableFrom(b, texts("table").MaxAhead(time.Hour))
		topology.From(b, texts("past").MaxAhead(-time.Hour))
		topology.TableFrom(b, texts("clock").TimeFromWallClock())
		topology.TableFrom(b, texts("partition").OrPartitionTime())
		topology.TableFrom(b, texts("half").StartAt(topology.Latest()))
		topology.TableFrom(b, texts("whole").StartAt(topology.Earliest()))
		topology.From(b, texts("future").StartAt(topology.Ago(-time.Hour)))
		topology.From(b, texts("moon").StartAt(topology.Since(time.Date(1969, 7, 20, 0, 0, 0, 0, time.UTC))))
		topology.From(b, texts("twice").StartAt(topology.Latest()))
		topology.From(b, texts("twice").StartAt(topology.Earliest()))
		return b
	},
	"empty": func() *topology.Builder { return topology.NewBuilder("empty") },
	"nil-functions": func() *topology.Builder {
		b := topology.NewBuilder("nil")
		in, rows := topology.From(b, texts("in")), topology.TableFrom(b, texts("rows"))
		in.Filter(nil)
		in.FilterNot(nil)
		in.Branch(nil)
		in.Peek(nil)
		topology.Map[string, string, string](in, nil)
		topology.MapKV[string, string, string, string](in, nil)
		topology.FlatMap[string, string, string](in, nil)
		topology.KeyBy[string, string, string](in, "by", nil)
		topology.Aggregate[string, string, string](in, "aggregated", nil)
		topology.Reduce(in, "reduced", nil)
		topology.Join[string, string, string, string](in, rows, nil)
		topology.LeftJoin[string, string, string, string](in, rows, nil)
		topology.Process[string, string, string](in, "process", nil)
		topology.ProcessKV[string, string, string, string](in, "process-kv", nil)
		topology.Count(in, "counted").Initially(nil)
		topology.Count(in, "again").DeleteWhen(nil)
		topology.From(b, texts("timed").TimeFrom(nil))
		return b
	},
	"stream-joins": func() *topology.Builder {
		b := topology.NewBuilder("joins")
		in, other := topology.From(b, texts("in")), topology.From(b, texts("other"))
		plus := func(a, b string) string { return a + b }
		hour := topology.Within(time.Hour)
		topology.JoinStreams(in, topology.From(topology.NewBuilder("another"), texts("other")), "apart", hour, plus)
		topology.JoinStreams(in, topology.From(b, topology.NewTopic("numbers", codec.JSON[string](), codec.String)), "codecs", hour, plus)
		topology.JoinStreams[string, string, string, string](in, other, "nil", hour, nil)
		topology.LeftJoinStreams[string, string, string, string](in, other, "left-nil", hour, nil)
		topology.OuterJoinStreams[string, string, string, string](in, other, "outer-nil", hour, nil)
		topology.JoinStreams(in, other, "", hour, plus)
		topology.JoinStreams(in, other, "às 10", hour, plus)
		topology.JoinStreams(in, other, "none", topology.Interval{}, plus)
		topology.JoinStreams(in, other, "backwards", hour.Before(-2*time.Hour), plus)
		topology.JoinStreams(in, other, "fine", topology.Within(time.Microsecond), plus)
		topology.JoinStreams(in, other, "grace", hour.Grace(-time.Second), plus)
		topology.JoinStreams(topology.MapKV(in, swap), other, "moved", hour, plus)
		topology.JoinStreams(in, topology.MapKV(other, swap), "also-moved", hour, plus)
		topology.JoinStreams(in, other, "twice", hour, plus)
		topology.JoinStreams(in, other, "twice", hour, plus)
		topology.JoinStreams(topology.From(b, texts("three").Partitions(3)), topology.From(b, texts("five").Partitions(5)), "parts", hour, plus)
		return b
	},
	"settings": func() *topology.Builder {
		b := topology.NewBuilder("settings")
		in, rows := topology.From(b, texts("in")), topology.TableFrom(b, texts("rows"))
		in.Encoded(codec.String)
		in.Filter(isEmpty).KeyEncoded(codec.String)
		in.Filter(isEmpty).TopicConfig("retention.ms", "1")
		in.Filter(isEmpty).Encoded(nil)
		topology.KeyBy(in, "by", itself).KeyEncoded(nil)
		topology.KeyBy(in, "by-again", itself).TopicConfig("", "1")
		topology.KeyBy(in, "twice", itself).Encoded(codec.String).Encoded(codec.JSON[string]())
		rows.Encoded(codec.String)
		rows.Retention(time.Hour)
		rows.TopicConfig("retention.ms", "1")
		rows.Initially(func() string { return "" })
		rows.DeleteWhen(isEmpty)
		topology.Count(in, "counts").Retention(time.Hour)
		topology.Count(topology.Window(in, topology.Tumbling(time.Hour).Grace(time.Minute)), "hourly").Retention(time.Hour)
		topology.Reduce(in, "reduced", func(a, b string) string { return a }).Initially(func() string { return "" })
		rows.OnError(processor.Policy{})
		in.OnError(processor.Policy{})
		in.Filter(isEmpty).OnError(processor.Policy{Retries: -1})
		in.Filter(isEmpty).OnError(processor.Policy{}).OnError(processor.Policy{Action: processor.Skip})
		in.To(texts("retried").OnError(processor.Policy{Retries: 1}))
		topology.From(b, texts("in").OnError(processor.Policy{Action: processor.Skip}))
		topology.From(b, texts("in").OnError(processor.Policy{Action: processor.DeadLetter}))
		topology.EncodeAs[string](b, nil)
		topology.EncodeAs(b, codec.String)
		topology.EncodeAs(b, codec.JSON[string]())
		topology.Process(in, "step", drop, attachment("nothing"))
		alerts := processor.NewOutput("alerts", codec.String, codec.String)
		topology.Output(topology.Process(in, "no-output", drop), alerts)
		topology.Process(in, "twice", drop, alerts, alerts)
		topology.Process(in, "unnamed", drop, processor.NewOutput("à vista", codec.String, codec.String))
		topology.Process(in, "other-step", drop, topology.TableFrom(topology.NewBuilder("other"), texts("rows")))
		return b
	},
	"unreadable": func() *topology.Builder {
		b := topology.NewBuilder("unreadable")
		in := topology.From(b, texts("in"))
		topology.KeyBy(topology.Map(in, func(string) drawing { return drawing{} }), "by-x", func(d drawing) string { return d.Name })
		topology.KeyBy(in, "by-shape", func(string) shape { return nil })
		topology.Aggregate(in, "channels", func(c struct{ Done chan int }, _ string) struct{ Done chan int } { return c })
		topology.Aggregate(in, "functions", func(c map[string]func(), _ string) map[string]func() { return c })
		topology.Aggregate(in, "messages", func(m *message, _ string) *message { return m })
		topology.Aggregate(in, "pairs", func(m map[[2]float64]int, _ string) map[[2]float64]int { return m })
		topology.Aggregate(in, "nodes", func(n node, _ string) node { return n }) // as in JSON
		one := topology.From(b, topology.NewTopic("one", codec.String, own[drawing]()))
		two := topology.From(b, topology.NewTopic("two", codec.String, codec.JSON[drawing]()))
		topology.KeyBy(one.Merge(two), "by-name", func(d drawing) string { return d.Name })
		topology.KeyBy(one.Merge(topology.Map(in, func(string) drawing { return drawing{} })), "by-other-name", func(d drawing) string { return d.Name })
		return b
	},
	"two-builders": func() *topology.Builder {
		other := topology.NewBuilder("other")
		for i := range 100 { // built with other steps than the builder has
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
	"ttl": func() *topology.Builder {
		b := topology.NewBuilder("ttl")
		in, rows := topology.From(b, texts("in")), topology.TableFrom(b, texts("rows"))
		rows.TTL(time.Hour)
		rows.Filter(isEmpty).TTL(time.Hour)
		topology.Count(topology.Window(in, topology.Tumbling(time.Hour)), "hourly").TTL(time.Hour)
		topology.Count(in, "none").TTL(0)
		topology.Count(in, "micro").TTL(time.Microsecond)
		topology.Count(in, "twice").TTL(time.Hour).TTL(time.Minute)
		return b
	},
	"cogroup": func() *topology.Builder {
		b := topology.NewBuilder("cogroup")
		in, other := topology.From(b, texts("in")), topology.From(b, texts("other"))
		plus := func(a, b string) string { return a + b }
		topology.Cogroup("", topology.Adding(in, plus))
		topology.Cogroup("nil", topology.Adding(in, plus), topology.Adding[string, string, string](other, nil))
		topology.Cogroup("builders", topology.Adding(in, plus), topology.Adding(topology.From(topology.NewBuilder("b"), texts("in")), plus))
		hourly, daily := topology.Window(in, topology.Tumbling(time.Hour)), topology.Window(other, topology.Tumbling(24*time.Hour))
		topology.Cogroup("windows", topology.Adding(hourly, plus), topology.Adding(daily, plus))
		swapped := topology.MapKV(in, func(k, v string) (string, string) { return v, k })
		topology.Cogroup("swapped", topology.Adding(in, plus), topology.Adding(swapped, plus))
		json := topology.From(b, topology.NewTopic("json", codec.JSON[string](), codec.String))
		topology.Cogroup("keys", topology.Adding(in, plus), topology.Adding(json, plus))
		topology.Cogroup("sessions", topology.Adding(topology.Window(in, topology.Sessions(time.Hour)), plus))
		topology.Cogroup("plain", topology.Adding(in, plus)).Merging(plus)
		four := topology.From(b, texts("four").Partitions(4))
		topology.Cogroup("four", topology.Adding(topology.From(b, texts("two").Partitions(2)), plus), topology.Adding(four, plus))
		return b
	},
	"grouped-tables": func() *topology.Builder {
		b := topology.NewBuilder("grouped-tables")
		rows := topology.TableFrom(b, texts("in"))
		plus := func(a, b string) string { return a + b }
		topology.CountTableBy(rows, "", itself)
		topology.CountTableBy[string, string, string](rows, "no-key", nil)
		topology.ReduceTableBy(rows, "no-subtract", itself, plus, nil)
		topology.ReduceTableBy(rows, "first", itself, plus, plus).Initially(func() string { return "" })
		topology.CountTableBy(rows, "twice", itself)
		topology.KeyBy(rows.ToStream(), "twice", itself)
		topology.Count(topology.KeyBy(rows.ToStream(), "also-twice", itself), "counts")
		topology.CountTableBy(rows, "also-twice", itself)
		drawn := topology.MapTable(rows, func(string) drawing { return drawing{} })
		topology.CountTableBy(drawn, "drawings", func(d drawing) string { return d.Name })
		shaped := topology.MapTable(rows, func(string) drawing { return drawing{} }).Encoded(own[drawing]())
		topology.CountTableBy(shaped, "shapes", func(d drawing) shape { return d.Shapes[0] })
		rows.KeyEncoded(codec.String)
		topology.CountTableBy(rows, "nil-codec", itself).KeyEncoded(nil)
		counts := topology.CountTableBy(rows, "circle", itself)
		topology.MapTable(counts, func(int64) string { return "" }).To(texts("in"))
		return b
	},
	"tables": func() *topology.Builder {
		b := topology.NewBuilder("tables")
		left, right := topology.TableFrom(b, texts("left")), topology.TableFrom(b, topology.NewTopic("right", codec.Int64, codec.String))
		left.Stored("mine")
		topology.Count(left.ToStream(), "counts").Stored("twice")
		left.Filter(isEmpty).Stored("")
		left.Filter(isEmpty).Stored("one").Stored("two")
		left.Filter(isEmpty).TopicConfig("max.message.bytes", "1000").To(texts("out"))
		left.FilterNot(nil)
		topology.MapTable[string, string, string](left, nil)
		topology.Process(topology.From(b, texts("in")), "step", drop, left.Filter(isEmpty))
		topology.JoinTables(left, topology.TableFrom(topology.NewBuilder("other"), texts("others")), func(a, b string) string { return a })
		numbered := topology.MapKV(topology.From(b, texts("in")), func(k, v string) (int64, string) { return 0, v })
		topology.ToTable(numbered, "by-number")
		drawn := topology.MapTable(left, func(string) drawing { return drawing{} })
		drawn.Stored("drawings")
		topology.OuterJoinTables(right, topology.TableFrom(b, topology.NewTopic("texts", codec.JSON[int64](), codec.String)),
			func(a string, _ bool, b string, _ bool) string { return a })
		return b
	},
	"repartition": func() *topology.Builder {
		b := topology.NewBuilder("repartition")
		in := topology.From(b, texts("in"))
		topology.Repartition(in, "twice").To(texts("out"))
		topology.KeyBy(in, "twice", itself).To(texts("out"))
		topology.Repartition(in, "").To(texts("out"))
		topology.Repartition(in, "none").Partitions(0).PartitionedBy(nil).To(texts("out"))
		in.Partitions(3).PartitionedBy(func(processor.Record[string, string], int) int { return 0 })
		topology.Repartition(topology.Window(in, topology.Tumbling(time.Hour)), "windows").Filter(isEmpty)
		three := topology.Repartition(in, "three").Partitions(3)
		topology.Join(three, topology.TableFrom(b, texts("table").Partitions(2)), func(a, b string) string { return a }).To(texts("out"))
		return b
	},
	"foreign-keys": func() *topology.Builder {
		b := topology.NewBuilder("foreign-keys")
		left, right := topology.TableFrom(b, texts("left")), topology.TableFrom(b, texts("right"))
		first := func(a, b string) string { return a }
		topology.JoinTablesBy(left, right, "no key", lookedUp, first).To(texts("out"))
		topology.JoinTablesBy(left, right, "no-key", nil, first).To(texts("out"))
		topology.JoinTablesBy[string, string, string, string, string](left, right, "no-function", lookedUp, nil).To(texts("out"))
		topology.JoinTablesBy(left, right, "twice", lookedUp, first).To(texts("out"))
		topology.JoinTablesBy(right, left, "twice", lookedUp, first).To(texts("out"))
		topology.JoinTablesBy(left, right, strings.Repeat("n", 220), lookedUp, first).To(texts("out"))
		topology.JoinTablesBy(left, topology.TableFrom(topology.NewBuilder("other"), texts("others")), "others", lookedUp, first).To(texts("out"))

		joined := topology.JoinTablesBy(left, right, "joined", lookedUp, first)
		joined.Filter(isEmpty).To(texts("out"))
		topology.JoinTables(left, joined, first)
		topology.JoinTablesBy(joined, right, "chained", lookedUp, first).To(texts("out"))
		topology.Join(topology.From(b, texts("in")), joined, first).To(texts("out"))
		topology.Process(topology.From(b, texts("in")), "step", drop, joined)
		joined.Encoded(codec.String)

		drawn := topology.MapTable(left, func(string) drawing { return drawing{} })
		topology.JoinTablesBy(drawn, right, "drawn", func(drawing) (string, bool) { return "", false }, func(drawing, string) string { return "" }).To(texts("out"))
		return b
	},
}

// attachment is an Attachment of a type that Process does not accept.
type attachment string

func (a attachment) Name() string { return string(a) }

// message looks like a type generated by protoc-gen-go.
type message struct{ Text string }

func (*message) ProtoReflect() int { return 0 }

// node is an unusual type that JSON can encode.
type node struct {
	At   time.Time
	Next *node
	Any  any
	skip func() //lint:ignore U1000 JSON leaves it out, and Build must not mind it
}

func windowedTexts(name string, size time.Duration) topology.Topic[codec.WindowKey[string], string] {
	return topology.NewTopic(name, codec.Windowed(codec.String).Size(size), codec.String)
}

// hidden wraps a codec without its information about windows.
type hidden struct {
	codec.Codec[codec.WindowKey[string]]
}

func isEmpty(v string) bool { return v == "" }
func isOne(n int64) bool    { return n == 1 }

// TestMistakes: Build reports all mistakes in one error, each with its line and a hint how to fix it.
//
// Proves: mistakes-are-told-at-once, state-needs-its-key
func TestMistakes(t *testing.T) {
	place := regexp.MustCompile(`(\w+_test\.go):(\d+)`)
	datadriven.RunTest(t, "testdata/mistakes", func(t *testing.T, c *datadriven.TestData) string {
		top, err := mistaken[c.CmdArgs[0].Key]().Build()
		if err == nil {
			t.Fatalf("%s: was built:\n%s", c.CmdArgs[0].Key, top)
		}
		return place.ReplaceAllStringFunc(err.Error(), func(at string) string {
			found := place.FindStringSubmatch(at)
			source, err := os.ReadFile(found[1])
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(found[2])
			if err != nil {
				t.Fatal(err)
			}
			return "\n" + strings.TrimSpace(strings.Split(string(source), "\n")[n-1]) + "\n  "
		}) + "\n"
	})
}
