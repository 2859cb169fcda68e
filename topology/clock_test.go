package topology_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// The time of a window is committed under the name of the first store or topic after it.
func TestNamesOfClocks(t *testing.T) {
	clocks := func(filtered bool) []string {
		b := topology.NewBuilder("app")
		in := topology.From(b, texts("in"))
		if filtered {
			in = in.Filter(func(v string) bool { return v != "" })
		}
		window := func() *topology.Stream[codec.WindowKey[string], string] {
			s := topology.Window(in, topology.Tumbling(time.Minute))
			if filtered {
				s = topology.Map(s, itself).FilterNot(isEmpty)
			}
			return s
		}
		hourly := window()
		hourly.To(topology.NewTopic("all", codec.Windowed(codec.String), codec.String))
		topology.Count(hourly, "hourly")
		topology.Count(hourly, "hourly-too")
		topology.Count(window().Merge(window()), "merged")
		window().To(topology.NewTopic("all", codec.Windowed(codec.String), codec.String))
		topology.Process(window(), "step", func(*processor.Context[codec.WindowKey[string], string]) processor.Handler[codec.WindowKey[string], string] {
			return func(processor.Record[codec.WindowKey[string], string]) error { return nil }
		})
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, n := range top.Plan().Subtopologies[0].Nodes {
			if n.Clock != "" {
				names = append(names, n.Clock)
			}
		}
		return names
	}
	want := []string{">hourly", ">merged", ">merged#2", ">to:all", ">process:step"}
	for _, filtered := range []bool{false, true} {
		if diff := cmp.Diff(want, clocks(filtered)); diff != "" {
			t.Errorf("clocks, with steps between: %v (-want +got):\n%s", filtered, diff)
		}
	}
}

// Kafka limits the metadata of an offset to 4096 bytes.
func TestTooManyWindows(t *testing.T) {
	build := func(windows int) error {
		b := topology.NewBuilder("app")
		in := topology.From(b, texts("in"))
		for i := range windows {
			topology.Count(topology.Window(in, topology.Tumbling(time.Minute)), fmt.Sprint("counts-per-minute-", i))
		}
		_, err := b.Build()
		return err
	}
	if err := build(50); err != nil {
		t.Errorf("50 windows: %v", err)
	}
	if err := build(70); err == nil || !strings.Contains(err.Error(), "too many windows read the same topics") || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("70 windows: error %v, want one, that there are too many", err)
	}
}
