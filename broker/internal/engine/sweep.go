package engine

import "time"

// sweep looks for what is too old or too much.
func (e *Engine) sweep(now time.Time) {
	e.full.Store(e.db.Full())
	e.forgetTransactions(now)
	e.forgetProducers(now)
	e.forgetGroups(now)
	e.startCleaning(now)
	for _, t := range e.topics {
		for _, p := range t.partitions {
			if t.settings.delete {
				e.retain(p, &t.settings, now)
			}
		}
	}
}
