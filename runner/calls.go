package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/task"
)

// startCall makes a call of a step to the outside in goroutines of its own. The worker gets the answer as a job of answers.
func (w *worker) startCall(t *running, ctx context.Context, c *task.Call) {
	go func() {
		answer := makeCall(ctx, c)
		w.answers.post(func() {
			t.unpublished = true
			t.task.Answered(c, answer)
		})
	}()
}

// lateAnswer is how long a call whose context has ended may take to return.
const lateAnswer = 100 * time.Millisecond

// makeCall makes a call and returns its answer. It gives up a call that ignores the end of its context.
func makeCall(ctx context.Context, c *task.Call) task.Answer {
	if c.After() > 0 && pauseFor(ctx, c.After()) != nil {
		return task.Failed(ctx.Err())
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout())
	defer cancel()
	answers := make(chan task.Answer, 1)
	go func() { answers <- c.Run(ctx) }()
	select {
	case a := <-answers:
		return a
	case <-ctx.Done():
	}
	late := time.NewTimer(lateAnswer)
	defer late.Stop()
	select {
	case a := <-answers:
		return a
	case <-late.C:
		return task.Failed(fmt.Errorf("the call does not return although its context has ended: %w", ctx.Err()))
	}
}

// takeAnswers hands the answers of calls to their tasks.
func (w *worker) takeAnswers() {
	for job := w.answers.take(); job != nil; job = w.answers.take() {
		job()
	}
}

// finishCalls waits until no call to the outside is in flight, and processes the results, because a commit includes the
// offsets of the records from which the calls were made.
func (w *worker) finishCalls() error {
	for _, t := range w.tasks {
		for t.task.Calling() {
			if t.stopped {
				return recoverable(task.ErrStopped) // reopen the task at the last commit
			}
			w.takeAnswers()
			w.dirty = true
			err := w.call.run(t, t.task.Settle)
			var retry *task.RetryError
			switch {
			case errors.Is(err, task.ErrStopped):
				t.stopped = true
				err = nil
			case errors.As(err, &retry):
				err = recoverable(pauseFor(w.ctx, retry.After))
			case err == nil && t.task.Calling():
				err = w.awaitAnswer()
			}
			if err != nil {
				return t.markDamaged(err)
			}
		}
	}
	return nil
}

func (w *worker) awaitAnswer() error {
	select {
	case <-w.answers.wake:
		return nil
	case <-w.ctx.Done():
		return recoverable(w.ctx.Err())
	}
}
