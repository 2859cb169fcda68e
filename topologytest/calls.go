package topologytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/internal/task"
)

// heldCall is a call of a MapAsync that waits for its answer.
type heldCall struct {
	*task.Call
	since time.Time
}

// call makes a call at once, or holds it.
func (d *Driver) call(m *member, c *task.Call) {
	if d.cfg.HoldCalls {
		m.held = append(m.held, &heldCall{c, d.clock})
		return
	}
	m.task.Answered(c, c.Run(context.Background()))
}

// settle processes the answers that are there. It reports whether a commit must wait for more.
func (m *member) settle() (waits bool, err error) {
	for {
		err := m.task.Settle()
		var retry *task.RetryError
		if errors.As(err, &retry) { // time is simulated, so the backoff is skipped
			continue
		}
		return m.task.Calling(), err
	}
}

// timeOut fails the calls whose timeout has passed.
func (d *Driver) timeOut(m *member) {
	for _, c := range slices.Clone(m.held) {
		if d.clock.Sub(c.since) >= c.Timeout() {
			m.held = slices.DeleteFunc(m.held, func(other *heldCall) bool { return other == c })
			m.task.Answered(c.Call, task.Failed(context.DeadlineExceeded))
		}
	}
}

// Held returns the calls that are held, as "step key", in the order in which they began, task by task.
func (d *Driver) Held() []string {
	var held []string
	for _, m := range d.tasks {
		for _, c := range m.held {
			held = append(held, strings.TrimSpace(c.Step().Name+" "+keyText(c.Call)))
		}
	}
	return held
}

// Answer makes the oldest held call of a step for a key, and lets the topology go on. The key is given as text; that of a
// record without a key is "".
func (d *Driver) Answer(step, key string) error {
	return d.answer(step, key, func(c *task.Call) (task.Answer, error) { return c.Run(context.Background()), nil })
}

// AnswerWith is like Answer, but the outside is not called: the call returns err, or else the value, given as text.
func (d *Driver) AnswerWith(step, key, value string, err error) error {
	return d.answer(step, key, func(c *task.Call) (task.Answer, error) {
		if err != nil {
			return task.Failed(err), nil
		}
		return c.Parse(value)
	})
}

func (d *Driver) answer(step, key string, do func(*task.Call) (task.Answer, error)) error {
	for _, m := range d.tasks {
		i := slices.IndexFunc(m.held, func(c *heldCall) bool { return c.Step().Name == step && keyText(c.Call) == key })
		if i < 0 {
			continue
		}
		c := m.held[i].Call
		answer, err := do(c)
		if err != nil {
			return err
		}
		m.held = slices.Delete(m.held, i, i+1)
		m.task.Answered(c, answer)
		return d.run()
	}
	return fmt.Errorf("topologytest: no call of %s for key %q is held; held are: %s", step, key, strings.Join(d.Held(), ", "))
}

// keyText returns the key of a call as text.
func keyText(c *task.Call) string {
	if c.Key() == nil {
		return ""
	}
	return c.Step().Async.FormatKey(c.Key())
}
