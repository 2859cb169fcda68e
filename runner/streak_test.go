package runner

import (
	"errors"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// TestFailureStreak: a streak begins with the first failure and ends when the positions that failed are committed, not when
// others are. If no record had failed, it ends after a quiet period.
func TestFailureStreak(t *testing.T) {
	start := time.Now()
	at := func(offset int64) func(string) int64 { return func(string) int64 { return offset } }
	reached := func(offset int64) map[kafka.TopicPartition]int64 {
		return map[kafka.TopicPartition]int64{{Topic: "in"}: offset}
	}
	tests := []struct {
		name     string
		script   func(*failureStreak)
		failures int
		began    time.Duration // after start
	}{
		{"a failure after an idle week", func(tr *failureStreak) {
			tr.opened = start
			tr.failed(start.Add(7*24*time.Hour), reached(11), time.Minute)
		}, 1, 7 * 24 * time.Hour},
		{"only the reopened offsets are committed between failures", func(tr *failureStreak) {
			for i := range 3 {
				tr.opened = start.Add(time.Duration(i) * time.Second)
				tr.committed(at(10))
				tr.failed(start.Add(time.Duration(i)*time.Second), reached(11), time.Minute)
			}
		}, 3, 0},
		{"the failed positions are committed between failures", func(tr *failureStreak) {
			tr.failed(start, reached(11), time.Minute)
			tr.committed(at(11))
			tr.failed(start.Add(time.Second), reached(12), time.Minute)
		}, 1, time.Second},
		{"an idle task fails again at once", func(tr *failureStreak) {
			for i := range 3 {
				tr.opened = start.Add(time.Duration(i) * time.Second)
				tr.failed(start.Add(time.Duration(i)*time.Second), nil, time.Minute)
			}
		}, 3, 0},
		{"an idle task fails again after a quiet period", func(tr *failureStreak) {
			tr.failed(start, nil, time.Minute)
			tr.opened = start.Add(time.Second)
			tr.failed(start.Add(time.Hour), nil, time.Minute)
		}, 1, time.Hour},
		{"the failed positions are never reached again", func(tr *failureStreak) {
			tr.failed(start, reached(11), time.Minute)
			tr.opened = start.Add(time.Second)
			tr.failed(start.Add(time.Hour), reached(3), time.Minute)
		}, 1, time.Hour},
	}
	for _, test := range tests {
		var tr failureStreak
		test.script(&tr)
		if tr.failures != test.failures || !tr.began.Equal(start.Add(test.began)) {
			t.Errorf("%s: %d failures since %v, want %d since %v", test.name, tr.failures, tr.began.Sub(start), test.failures, test.began)
		}
	}
}

// TestStateOfAProducerIsNotFatal: the runner recovers with a new producer from everything that a transaction coordinator
// may forget.
func TestStateOfAProducerIsNotFatal(t *testing.T) {
	for _, err := range []error{kafka.ErrFenced, kafka.ErrProducerState, kafka.ErrOutcomeUnknown, kafka.ErrIllegalGeneration, kafka.ErrUnknownMember, kafka.ErrUnknownTopic} {
		if fatal(recoverable(err)) {
			t.Errorf("%v ends the run", err)
		}
	}
	if err := retryTimeoutError("task 0_0", time.Minute, recoverable(kafka.ErrUnknownTopic)); !fatal(err) || !errors.Is(err, ErrRetryTimeout) || !errors.Is(err, kafka.ErrUnknownTopic) {
		t.Errorf("%v does not end the run", err)
	}
}
