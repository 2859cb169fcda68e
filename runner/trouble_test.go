package runner

import (
	"errors"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// TestTrouble: trouble begins with the first failure and is over when what failed has succeeded, not when something else
// was committed; a task that had nothing to prove is out of trouble after a calm.
func TestTrouble(t *testing.T) {
	start := time.Now()
	at := func(offset int64) func(string) int64 { return func(string) int64 { return offset } }
	reached := func(offset int64) map[kafka.TopicPartition]int64 {
		return map[kafka.TopicPartition]int64{{Topic: "in"}: offset}
	}
	tests := []struct {
		name     string
		script   func(*trouble)
		failures int
		began    time.Duration // after start
	}{
		{"a failure after an idle week", func(tr *trouble) {
			tr.opened = start
			tr.failed(start.Add(7*24*time.Hour), reached(11), time.Minute)
		}, 1, 7 * 24 * time.Hour},
		{"offsets only are committed between failures", func(tr *trouble) {
			for i := range 3 {
				tr.opened = start.Add(time.Duration(i) * time.Second)
				tr.committed(at(10))
				tr.failed(start.Add(time.Duration(i)*time.Second), reached(11), time.Minute)
			}
		}, 3, 0},
		{"what failed has succeeded in between", func(tr *trouble) {
			tr.failed(start, reached(11), time.Minute)
			tr.committed(at(11))
			tr.failed(start.Add(time.Second), reached(12), time.Minute)
		}, 1, time.Second},
		{"nothing to prove, and again at once", func(tr *trouble) {
			for i := range 3 {
				tr.opened = start.Add(time.Duration(i) * time.Second)
				tr.failed(start.Add(time.Duration(i)*time.Second), nil, time.Minute)
			}
		}, 3, 0},
		{"nothing to prove, and again after a calm", func(tr *trouble) {
			tr.failed(start, nil, time.Minute)
			tr.opened = start.Add(time.Second)
			tr.failed(start.Add(time.Hour), nil, time.Minute)
		}, 1, time.Hour},
		{"what would prove it never comes", func(tr *trouble) {
			tr.failed(start, reached(11), time.Minute)
			tr.opened = start.Add(time.Second)
			tr.failed(start.Add(time.Hour), reached(3), time.Minute)
		}, 1, time.Hour},
	}
	for _, test := range tests {
		var tr trouble
		test.script(&tr)
		if tr.failures != test.failures || !tr.began.Equal(start.Add(test.began)) {
			t.Errorf("%s: %d failures since %v, want %d since %v", test.name, tr.failures, tr.began.Sub(start), test.failures, test.began)
		}
	}
}

// TestStateOfAProducerIsNotFinal: whatever a transaction coordinator has forgotten, a new producer goes on.
func TestStateOfAProducerIsNotFinal(t *testing.T) {
	for _, err := range []error{kafka.ErrFenced, kafka.ErrProducerState, kafka.ErrOutcomeUnknown, kafka.ErrIllegalGeneration, kafka.ErrUnknownMember, kafka.ErrUnknownTopic} {
		if final(cluster(err)) {
			t.Errorf("%v ends the run", err)
		}
	}
	if err := tooLong("task 0_0", time.Minute, cluster(kafka.ErrUnknownTopic)); !final(err) || !errors.Is(err, ErrRetryTimeout) || !errors.Is(err, kafka.ErrUnknownTopic) {
		t.Errorf("%v does not end the run", err)
	}
}
