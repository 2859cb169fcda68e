package topologytest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestAStepReadsTables: a custom step reads a source table and an aggregate attached to it, and the clock.
func TestAStepReadsTables(t *testing.T) {
	b := topology.NewBuilder("views")
	people := topology.TableFrom(b, texts("people"))
	in := topology.From(b, texts("in"))
	sums := topology.Aggregate(in, "sums", plus)
	topology.Process(in, "look", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		people, sums := people.In(c), sums.In(c)
		return func(r processor.Record[string, string]) error {
			name, found, err := people.Get(r.Key)
			if err != nil {
				return err
			}
			sum, at, _, err := sums.GetWithTime(r.Key)
			if err != nil {
				return err
			}
			var all []string
			for row, err := range people.All() {
				if err != nil {
					return err
				}
				all = append(all, row.Value)
			}
			for row, err := range people.Range("b", "b") {
				if err != nil {
					return err
				}
				all = append(all, "only "+row.Value)
			}
			return c.Emit(r.Key, strings.TrimSpace(fmt.Sprintln(name, found, sum, at, all, c.Now().UTC().Format(time.TimeOnly))))
		}
	}, people, sums).To(texts("out"))
	top := built(t, b)
	if !strings.Contains(top.String(), "process look [people, sums]") {
		t.Errorf("the plan lacks the tables:\n%s", top)
	}
	d, err := topologytest.New(top, topologytest.Config{Start: time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	type row = processor.Record[string, string]
	if err := topologytest.Send(d, texts("people"), row{Key: "a", Value: "Ana"}, row{Key: "b", Value: "Bob"}); err != nil {
		t.Fatal(err)
	}
	if err := d.Advance(time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := topologytest.Send(d, texts("in"), row{Key: "a", Value: "1", Timestamp: 1}, row{Key: "c", Value: "2", Timestamp: 2}); err != nil {
		t.Fatal(err)
	}
	got, err := topologytest.Read(d, texts("out"))
	want := []row{
		{Key: "a", Value: "Ana true 0+1 1 [Ana Bob only Bob] 09:01:00", Timestamp: 1},
		{Key: "c", Value: "false 0+2 2 [Ana Bob only Bob] 09:01:00", Timestamp: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("results (-want +got): %v\n%s", err, diff)
	}
}

// TestATableThatIsNotAttached: the error names the step and the missing table.
func TestATableThatIsNotAttached(t *testing.T) {
	b := topology.NewBuilder("views")
	people := topology.TableFrom(b, texts("people"))
	topology.Process(topology.From(b, texts("in")), "look", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		people.In(c)
		return func(processor.Record[string, string]) error { return nil }
	})
	_, err := topologytest.New(built(t, b), topologytest.Config{})
	want := `task 1_0: process look: state: no store "people"; the task has none; attach the definition, or the table, where the step is declared: topology.Process(stream, name, start, people)`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
