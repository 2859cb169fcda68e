package engine

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// commit collects changes that become durable atomically, and callbacks to run afterwards.
type commit struct {
	batch   *store.Batch
	views   map[*partition]view
	catalog *catalog // nil if no topic has changed
	after   []func(error)
}

func (e *Engine) newCommit() *commit {
	return &commit{batch: e.db.NewBatch(), views: make(map[*partition]view)}
}

func (c *commit) isEmpty() bool { return len(c.after) == 0 && c.batch.Empty() }
func (c *commit) size() int     { return c.batch.Size() }

// after calls then once everything written so far is durable. then runs in another goroutine and must not block.
func (e *Engine) after(then func(error)) {
	if e.open.isEmpty() && e.inFlight.Load() == 0 {
		then(e.db.Failed())
		return
	}
	e.open.after = append(e.open.after, then)
}

// answer sends a response once everything written so far is durable.
func (e *Engine) answer(res kmsg.Response, reply func(kmsg.Response)) { e.after(durable(res, reply)) }

// answerWith sends a response with the open commit. A group calls reply functions before touch writes the change into
// the same commit, so no client sees a change that a crash could undo.
func (e *Engine) answerWith(res kmsg.Response, reply func(kmsg.Response)) {
	e.open.after = append(e.open.after, durable(res, reply))
}

// durable returns a callback that sends res, or closes the connection if the commit has failed.
func durable(res kmsg.Response, reply func(kmsg.Response)) func(error) {
	return func(err error) {
		if err != nil {
			res = nil
		}
		reply(res)
	}
}

// commitAll makes commits durable, one after the other, and publishes their contents.
func (e *Engine) commitAll() {
	defer e.idle.Done()
	for c := range e.commits {
		var err error
		if !c.batch.Empty() {
			err = e.db.Commit(c.batch)
			e.checkDisk()
		}
		if err == nil {
			e.publish(c)
		}
		e.inFlight.Add(-1)
		for _, then := range c.after {
			then(err)
		}
		if err == nil {
			c.batch.Release()
		}
	}
}

func (e *Engine) publish(c *commit) {
	if c.catalog != nil {
		e.catalog.Store(c.catalog)
	}
	for p, v := range c.views {
		p.publish(v)
	}
}
