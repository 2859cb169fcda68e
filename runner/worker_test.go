package runner

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// A worker that has just lost its producer may get a task that is revoked before there is a new producer.
func TestReleaseWithoutAProducer(t *testing.T) {
	b := topology.NewBuilder("release")
	topology.From(b, topology.NewTopic("in", codec.String, codec.String))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	a := &assignment{name: "0_0", sub: top.Plan().Subtopologies[0], inputs: []kafka.TopicPartition{{Topic: "in"}}}
	adopted := &running{assignment: a, db: state.NewMemory(), out: &output{}, cancel: func() {}}
	adopted.task, err = task.New(task.Config{
		Plan: top.Plan(), Subtopology: a.sub, Counts: map[string]int32{"in": 1}, DB: adopted.db, Output: adopted.out,
	})
	if err != nil {
		t.Fatal(err)
	}
	adopted.task.Seek("in", 7) // as after opening: the offset must be committed
	w := &worker{
		r: &runner{log: slog.New(slog.DiscardHandler)}, broken: errors.New("no producer"),
		tasks: []*running{adopted}, byInput: map[kafka.TopicPartition]*running{a.inputs[0]: adopted},
	}
	w.release([]*assignment{a})
	if len(w.tasks) != 0 || len(w.byInput) != 0 {
		t.Errorf("the worker still has %d tasks", len(w.tasks))
	}
}
