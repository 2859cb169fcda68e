package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
)

// chosenTopics knows the topics that records have chosen to be written to (topology.Topic.NamedBy). The numbers of partitions
// are those of the first record, so that later partitions do not move the keys while the application runs.
type chosenTopics struct {
	mu     sync.Mutex
	counts map[string]int32
	absent map[string]time.Time // when the last lookup did not find the topic
}

// lookAgain is how long a topic that did not exist is taken to be missing, so that records for it cost no request each.
const lookAgain = time.Second

// partitionsOf returns a function that looks up topics for the records of one task. A topic that does not exist is the
// record's fault; a cluster that does not respond is not.
func (r *runner) partitionsOf(ctx context.Context) func(*plan.Topic, string) (int32, error) {
	return func(_ *plan.Topic, name string) (int32, error) {
		r.chosen.mu.Lock()
		defer r.chosen.mu.Unlock()
		if n, ok := r.chosen.counts[name]; ok {
			return n, nil
		}
		missing := fmt.Errorf("no such topic: %s; topics that records choose must be created before", name)
		if time.Since(r.chosen.absent[name]) < lookAgain {
			return 0, missing
		}
		topics, err := r.client.DescribeTopics(ctx, name)
		switch {
		case ctx.Err() != nil:
			return 0, &plan.HostError{Err: fmt.Errorf("%w: %w", task.ErrStopped, err)}
		case errors.Is(err, kafka.ErrInvalidTopic), errors.Is(err, kafka.ErrNotAuthorized):
			return 0, err
		case err != nil:
			return 0, &plan.HostError{Err: recoverable(fmt.Errorf("look up topic %s: %w", name, err))}
		case len(topics) == 0 || len(topics[0].Partitions) == 0:
			if r.chosen.absent == nil {
				r.chosen.absent = map[string]time.Time{}
			}
			r.chosen.absent[name] = time.Now()
			return 0, missing
		}
		if r.chosen.counts == nil {
			r.chosen.counts = map[string]int32{}
		}
		n := int32(len(topics[0].Partitions))
		r.chosen.counts[name] = n
		return n, nil
	}
}
