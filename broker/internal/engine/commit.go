package engine

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// commit is what becomes durable together, and what may be known once it is.
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

// after runs then once everything that has been written so far is durable, in a goroutine that must not be held up.
func (e *Engine) after(then func(error)) {
	if e.open.isEmpty() && e.flying.Load() == 0 {
		then(e.db.Failed())
		return
	}
	e.open.after = append(e.open.after, then)
}

// answer replies once everything that has been written so far is durable.
func (e *Engine) answer(res kmsg.Response, reply func(kmsg.Response)) { e.after(durable(res, reply)) }

// answerWith replies with the open commit. A group calls reply functions while it works, and touch writes the change afterwards
// into the same commit; so nobody hears of a change that a crash could undo.
func (e *Engine) answerWith(res kmsg.Response, reply func(kmsg.Response)) {
	e.open.after = append(e.open.after, durable(res, reply))
}

// durable replies unless the commit has failed: then the connection ends.
func durable(res kmsg.Response, reply func(kmsg.Response)) func(error) {
	return func(err error) {
		if err != nil {
			res = nil
		}
		reply(res)
	}
}

// commitAll makes commits durable, one after the other, and makes their contents known.
func (e *Engine) commitAll() {
	defer e.idle.Done()
	for c := range e.commits {
		var err error
		if !c.batch.Empty() {
			err = e.db.Commit(c.batch)
			e.lookAtDisk()
		}
		if err == nil {
			e.publish(c)
		}
		e.flying.Add(-1)
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
