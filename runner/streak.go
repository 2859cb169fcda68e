package runner

import (
	"time"

	"github.com/rio-streams/rio/kafka"
)

// failureStreak tracks the consecutive failures of a task. It determines how long to wait before the task is reopened, and
// when to give up. The owner of the task owns it.
type failureStreak struct {
	began      time.Time                      // the first failure; zero if there is none
	failures   int                            // number of failures since began
	opened     time.Time                      // when the task was last given to a worker
	mustCommit map[kafka.TopicPartition]int64 // positions whose commit ends the streak
}

// quietPeriod is how long a task with an empty mustCommit must run without a failure to end the streak.
const quietPeriod = 10 * time.Second

// failed records a failure. reached contains the uncommitted positions of the task; it is empty if the task was idle.
// The streak ends when the task has reprocessed the records up to these positions and has committed them.
func (tr *failureStreak) failed(now time.Time, reached map[kafka.TopicPartition]int64, retryTimeout time.Duration) {
	quiet := now.Sub(tr.opened)
	if len(tr.mustCommit) == 0 && quiet > quietPeriod || quiet > retryTimeout+time.Minute {
		tr.began, tr.failures, tr.mustCommit = time.Time{}, 0, nil
	}
	if tr.began.IsZero() {
		tr.began = now
	}
	tr.failures++
	if tr.mustCommit == nil {
		tr.mustCommit = map[kafka.TopicPartition]int64{}
	}
	for tp, offset := range reached {
		tr.mustCommit[tp] = max(tr.mustCommit[tp], offset)
	}
}

// committed records a commit of the task. at returns its committed position in a topic.
func (tr *failureStreak) committed(at func(topic string) int64) {
	for tp, offset := range tr.mustCommit {
		if at(tp.Topic) < offset {
			return
		}
	}
	if len(tr.mustCommit) > 0 {
		*tr = failureStreak{opened: tr.opened}
	}
}

// elapsed returns the time since the first failure, 0 if there is none.
func (tr *failureStreak) elapsed() time.Duration {
	if tr.began.IsZero() {
		return 0
	}
	return time.Since(tr.began)
}
