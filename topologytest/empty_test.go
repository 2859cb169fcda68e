package topologytest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// Empty and null are different, also if the task's buffers are still unused: each case starts a new task. All records
// in the log are checked, including internal topics.
func TestEmptyIsNotNull(t *testing.T) {
	type record = processor.Record[string, string]
	same := func(v string) string { return v }
	cases := map[string]struct {
		declare func(in *topology.Stream[string, string])
		send    []record
		want    []string
	}{
		"value of a record without a key": {
			func(in *topology.Stream[string, string]) { in.To(texts("out")) },
			[]record{{NoKey: true}},
			[]string{`out null=""`},
		},
		"tombstone of an empty key": {
			func(in *topology.Stream[string, string]) { in.To(texts("out")) },
			[]record{{Tombstone: true}},
			[]string{`out ""=null`},
		},
		"neither, then both": {
			func(in *topology.Stream[string, string]) { in.To(texts("out")) },
			[]record{{NoKey: true, Tombstone: true}, {}},
			[]string{`out null=null`, `out ""=""`},
		},
		"bytes": {
			func(in *topology.Stream[string, string]) {
				bytes := topology.Map(in, func(string) []byte { return nil })
				bytes.To(topology.NewTopic("out", codec.String, codec.Bytes))
			},
			[]record{{}},
			[]string{`out ""=""`},
		},
		"key of a count": {
			func(in *topology.Stream[string, string]) {
				topology.Count(in, "n").To(topology.NewTopic("out", codec.String, codec.Int64))
			},
			[]record{{Value: "v"}},
			[]string{`out ""="\x00\x00\x00\x00\x00\x00\x00\x01"`, `app-n-changelog ""="\x00\x00\x00\x00\x00\x00\x00\x01"`},
		},
		"key and value of a reduce": {
			func(in *topology.Stream[string, string]) {
				topology.Reduce(in, "r", func(a, b string) string { return a + b })
			},
			[]record{{}},
			[]string{`app-r-changelog ""=""`},
		},
		"key of a window": {
			func(in *topology.Stream[string, string]) {
				windows := topology.Window(in, topology.Tumbling(time.Second))
				topology.Reduce(windows, "r", func(a, b string) string { return a + b })
			},
			[]record{{}},
			[]string{`app-r-changelog "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"=""`},
		},
		"key and value of a KeyBy": {
			func(in *topology.Stream[string, string]) { topology.KeyBy(in, "by", same).To(texts("out")) },
			[]record{{Key: "k"}},
			[]string{`app-by-repartition ""=""`, `out ""=""`},
		},
		"dead letter": {
			func(in *topology.Stream[string, string]) {
				topology.Map(in, func(string) string { panic("no") }).To(texts("out"))
			},
			[]record{{}},
			[]string{`letters ""=""`},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("app")
			c.declare(topology.From(b, texts("in")))
			d, err := topologytest.New(built(t, b), topologytest.Config{
				Policies: processor.Policies{Process: processor.Policy{Action: processor.DeadLetter}, DeadLetters: "letters"},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := topologytest.Send(d, texts("in"), c.send...); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range d.Outputs() {
				if o.Topic != "in" {
					got = append(got, o.Topic+" "+quoted(o.Key)+"="+quoted(o.Value))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the log (-want +got):\n%s", diff)
			}
		})
	}
}

func quoted(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

// A row with an empty key and an empty value is kept in the cache, in the database, in a scan, and after a restart.
func TestEmptyRows(t *testing.T) {
	b := topology.NewBuilder("app")
	topology.TableFrom(b, texts("table")).To(texts("rows"))
	in := topology.From(b, texts("in"))
	topology.Reduce(in, "last", func(_, v string) string { return v }).To(texts("last"))
	topology.LeftJoin(in, topology.TableFrom(b, texts("table")), func(v, w string, ok bool) string {
		return fmt.Sprintf("%q,%q,%v", v, w, ok)
	}).To(texts("joined"))
	topologytest.Run(t, "testdata/empty", built(t, b), topologytest.Config{})
}
