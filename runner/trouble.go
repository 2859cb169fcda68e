package runner

import (
	"time"

	"github.com/rio-streams/rio/kafka"
)

// trouble is what a task knows of failures in a row. It goes with the task from owner to owner. It decides how long to
// wait before the task is opened again, and when to give up.
type trouble struct {
	began    time.Time                      // the first failure; zero without trouble
	failures int                            // since then
	opened   time.Time                      // when the task was last given to a worker
	prove    map[kafka.TopicPartition]int64 // what must be committed to show that what failed works again
}

// calm is how long a task must run without a failure, if it has nothing to prove, until the trouble is over.
const calm = 10 * time.Second

// failed notes a failure. reached holds the positions that the task had reached without committing them: to get there
// again takes whatever failed. A task that was idle has none.
func (tr *trouble) failed(now time.Time, reached map[kafka.TopicPartition]int64, retryTimeout time.Duration) {
	quiet := now.Sub(tr.opened)
	if len(tr.prove) == 0 && quiet > calm || quiet > retryTimeout+time.Minute {
		tr.began, tr.failures, tr.prove = time.Time{}, 0, nil
	}
	if tr.began.IsZero() {
		tr.began = now
	}
	tr.failures++
	if tr.prove == nil {
		tr.prove = map[kafka.TopicPartition]int64{}
	}
	for tp, offset := range reached {
		tr.prove[tp] = max(tr.prove[tp], offset)
	}
}

// committed notes that the task has committed the positions that at returns.
func (tr *trouble) committed(at func(topic string) int64) {
	for tp, offset := range tr.prove {
		if at(tp.Topic) < offset {
			return
		}
	}
	if len(tr.prove) > 0 {
		*tr = trouble{opened: tr.opened}
	}
}

// lasting returns for how long there has been trouble.
func (tr *trouble) lasting() time.Duration {
	if tr.began.IsZero() {
		return 0
	}
	return time.Since(tr.began)
}
