package engine

import (
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
	}
}

func (e *Engine) publish(c *commit) {
	if c.catalog != nil {
		e.publishCatalog(c.catalog)
	}
	for p, v := range c.views {
		p.publish(v)
	}
}
