package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// outs stores the records that a task sends.
type outs []task.Out

func (o *outs) Send(out task.Out) error {
	*o = append(*o, out)
	return nil
}

// refusing returns a task that has processed two records and was flushed, and the records that it has sent.
func refusing(t *testing.T, action processor.Action) (*task.Task, *outs, *[]string) {
	t.Helper()
	sent, failed := &outs{}, &[]string{}
	tk, _ := newTask(t, joined(t), func(cfg *task.Config) {
		cfg.Output = sent
		cfg.Policies.Produce.Action = action
		cfg.Policies.DeadLetters = "letters"
		cfg.Failed = func(e *processor.Error, done task.Outcome) {
			*failed = append(*failed, string(done)+": "+e.Error())
		}
	})
	tk.Add("table", nil, 0, true)
	tk.Add("in", []plan.Raw{record(7, 1, "a"), record(8, 2, "b")}, 9, true)
	mustStep(t, tk, 2)
	if err := tk.Flush(); err != nil {
		t.Fatal(err)
	}
	return tk, sent, failed
}

func refusal(out task.Out) task.Refusal {
	return task.Refusal{Kind: out.Kind, Step: out.Step, Store: out.Store, Origin: out.Origin, Key: out.Key, Cause: errors.New("too large")}
}

// TestRefusedBehindARepartition: after a repartition topic, the header of the reread record gives its origin.
func TestRefusedBehindARepartition(t *testing.T) {
	b := topology.NewBuilder("app")
	topology.KeyBy(topology.From(b, texts("in")), "by", func(v string) string { return v }).To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	sent := &outs{}
	source := record(4, 1, "a")
	source.Headers = []processor.Header{{Key: "trace"}, {Key: plan.OriginHeader, Value: plan.AppendOrigin(nil, processor.Origin{Topic: "in", Partition: 2, Offset: 77})}}
	tk, _ := newTask(t, top.Plan(), func(cfg *task.Config) {
		cfg.Subtopology = top.Plan().Subtopologies[1]
		cfg.Counts = map[string]int32{"by-repartition": 1}
		cfg.Output = sent
	})
	tk.Add("app-by-repartition", []plan.Raw{source}, 5, true)
	mustStep(t, tk, 1)
	if err := tk.Flush(); err != nil {
		t.Fatal(err)
	}
	if headers := (*sent)[0].Headers; len(headers) != 1 || headers[0].Key != "trace" {
		t.Errorf("the result has the headers %v, want the user's", headers)
	}
	r := refusal((*sent)[0])
	if !tk.WantsSource(r) {
		t.Error("WantsSource returned false")
	}
	err = tk.Refused(r, &source, time.Time{})
	if err == nil || !strings.HasPrefix(err.Error(), "produce in/2 at 77 via app-by-repartition/0 at 4 in sink (") {
		t.Errorf("error %v, want one that names in/2 at 77", err)
	}
}

// TestRefusedLater: a record that the broker rejects after it was sent follows the produce policy. The error names its
// source record and the step that wrote it.
func TestRefusedLater(t *testing.T) {
	source := record(8, 2, "b")
	const where = "produce in/0 at 8 in sink (task_test.go:34): too large"
	t.Run("fail", func(t *testing.T) {
		tk, sent, _ := refusing(t, processor.Fail)
		r := refusal((*sent)[1])
		if tk.WantsSource(r) {
			t.Error("WantsSource returned true")
		}
		if err := tk.Refused(r, nil, time.Time{}); err == nil || err.Error() != where {
			t.Errorf("error %v, want %s", err, where)
		}
	})
	t.Run("skip", func(t *testing.T) {
		tk, sent, failed := refusing(t, processor.Skip)
		r := refusal((*sent)[1])
		if err := tk.Refused(r, nil, time.Time{}); err != nil || tk.WantsSource(r) {
			t.Fatal(err)
		}
		expect(t, "failed", *failed, []string{"skipped: " + where})
		if c := tk.Counters(); c.Sent != 1 || c.Skipped[processor.Produce] != 1 || len(*sent) != 3 {
			t.Errorf("counters %+v, %d records sent", c, len(*sent))
		}
	})
	t.Run("dead letter", func(t *testing.T) {
		tk, sent, failed := refusing(t, processor.DeadLetter)
		r := refusal((*sent)[1])
		if !tk.WantsSource(r) {
			t.Error("WantsSource returned false")
		}
		if err := tk.Refused(r, &source, time.Time{}); err != nil {
			t.Fatal(err)
		}
		expect(t, "failed", *failed, []string{"dead-lettered: " + where})
		letter := (*sent)[3]
		if letter.Topic != "letters" || string(letter.Value) != "b" || letter.Timestamp != 2 || headersOf(letter)["message"] != "too large" || headersOf(letter)["offset"] != "8" {
			t.Errorf("letter %+v", letter)
		}
	})
	t.Run("dead letter of a record that is gone", func(t *testing.T) {
		tk, sent, _ := refusing(t, processor.DeadLetter)
		if err := tk.Refused(refusal((*sent)[1]), nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if letter := (*sent)[3]; letter.Value != nil || headersOf(letter)["offset"] != "8" {
			t.Errorf("letter %+v", letter)
		}
	})
	t.Run("dead letter of a timer", func(t *testing.T) {
		tk, sent, failed := refusing(t, processor.DeadLetter)
		r := refusal((*sent)[1])
		r.Origin = processor.Origin{}
		if err := tk.Refused(r, nil, time.Time{}); err != nil || tk.WantsSource(r) {
			t.Fatal(err)
		}
		expect(t, "failed", *failed, []string{"skipped: produce timer in sink (task_test.go:34): too large"})
	})
	t.Run("refused dead letter", func(t *testing.T) {
		tk, sent, failed := refusing(t, processor.DeadLetter)
		if err := tk.Refused(refusal((*sent)[1]), &source, time.Time{}); err != nil {
			t.Fatal(err)
		}
		now := time.UnixMilli(1234)
		if err := tk.Refused(refusal((*sent)[3]), nil, now); err != nil {
			t.Fatal(err)
		}
		short := (*sent)[4]
		if short.Topic != "letters" || short.Value != nil || short.Timestamp != 1234 || headersOf(short)["offset"] != "8" || headersOf(short)["topic"] != "in" {
			t.Errorf("letter %+v", short)
		}
		if err := tk.Refused(refusal(short), nil, now); err != nil {
			t.Fatal(err)
		}
		expect(t, "failed", *failed, []string{"dead-lettered: " + where, "skipped: produce in/0 at 8 in dead letter: too large"})
	})
}

// TestRefusedChange: a rejected changelog record always ends the task, because the store could not be restored without
// it.
func TestRefusedChange(t *testing.T) {
	tk, sent, _ := refusing(t, processor.Skip)
	change := (*sent)[2]
	change.Key = []byte(strings.Repeat("k", 150))
	err := tk.Refused(refusal(change), nil, time.Time{})
	want := fmt.Sprintf(`task 0_0: store "counts": the changelog refuses the row of key "%s"…: too large; set the topic settings of a changelog with TopicConfig`, strings.Repeat("k", 100))
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v, want\n%s", err, want)
	}
}

func headersOf(out task.Out) map[string]string {
	headers := map[string]string{}
	for _, h := range out.Headers {
		headers[strings.TrimPrefix(h.Key, "__streams.errors.")] = string(h.Value)
	}
	return headers
}
