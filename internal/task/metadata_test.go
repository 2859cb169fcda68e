package task_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/topology"
)

// windows counts in windows of 10 ms: once all records, and once those below 5.
func windows(t *testing.T) *plan.Plan {
	t.Helper()
	b := topology.NewBuilder("app")
	in := topology.From(b, texts("in"))
	small := in.Filter(func(v string) bool { return v < "5" })
	topology.Count(topology.Window(in, topology.Tumbling(10*time.Millisecond)), "all")
	topology.Count(topology.Window(small, topology.Tumbling(10*time.Millisecond)), "small")
	topology.Join(in, topology.TableFrom(b, texts("table")), func(v, w string) string { return v + w }).To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top.Plan()
}

// TestTimesAreCommitted: a commit contains the times of operators and stores.
func TestTimesAreCommitted(t *testing.T) {
	tk, _ := newTask(t, windows(t), nil)
	tk.Add("table", []plan.Raw{record(0, 70, "1")}, 1, true)
	tk.Add("in", []plan.Raw{record(0, 12, "1"), record(1, 60, "9"), record(2, 5, "2")}, 3, true)
	mustStep(t, tk, 4)
	expect(t, "offsets", offsets(tk), "table/0 1 at 70 all=60 small=12 >small=12 >all=60, in/0 3 at 70 all=60 small=12 >small=12 >all=60")
}

// TestMetadata: the times in the metadata of earlier commits, of this version and version 1, determine which records
// are late.
func TestMetadata(t *testing.T) {
	p := windows(t)
	for name, c := range map[string]struct {
		metadata   []string
		all, small int64 // windows that start before this time are closed
	}{
		"none":                        {nil, 0, 0},
		"nothing":                     {[]string{"", ""}, 0, 0},
		"before the first record":     {[]string{"rio:2:-1"}, 0, 0},
		"of another program":          {[]string{"offset 7", "rio:3:900"}, 0, 0},
		"damaged":                     {[]string{"rio:1:x", "rio:2:", "rio:2:x >all=y =9"}, 0, 0},
		"version 1":                   {[]string{"rio:1:40", "rio:1:25"}, 40, 40},
		"version 1, before the first": {[]string{"rio:1:-1"}, 0, 0},
		"version 2":                   {[]string{"rio:2:95 all=60 >all=60 small=30 >small=30"}, 60, 30},
		"an input that stood still":   {[]string{"rio:2:95 >all=60 >small=30", "rio:2:40 >all=35 >small=40", "rio:1:80"}, 60, 40},
		"a window that is new":        {[]string{"rio:2:95 >all=60", "rio:1:80"}, 60, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for start := int64(0); start < 100; start += 10 {
				tk, _ := newTask(t, p, func(cfg *task.Config) { cfg.Metadata = c.metadata })
				tk.Add("table", nil, 0, true)
				tk.Add("in", []plan.Raw{record(0, start, "1")}, 1, true)
				mustStep(t, tk, 1)
				var late []string
				for _, drop := range tk.Counters().Drops {
					late = append(late, drop.Step.Clock)
				}
				var want []string
				if start < c.all {
					want = append(want, ">all")
				}
				if start < c.small {
					want = append(want, ">small")
				}
				expect(t, fmt.Sprint("late at ", start), strings.Join(late, " "), strings.Join(want, " "))
			}
		})
	}
}
