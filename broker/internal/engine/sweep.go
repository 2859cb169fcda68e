package engine

import "time"

// sweep looks for what is too old or too much.
func (e *Engine) sweep(now time.Time) {
	e.lookAtDisk()
	e.count()
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

// lookAtDisk refuses records while there is no room for them, and says so.
func (e *Engine) lookAtDisk() {
	switch full := e.db.Full(); {
	case e.full.Swap(full) == full:
	case full:
		e.log.Error("broker: the disk is full: records are refused until there is room", "directory", e.db.Dir())
	default:
		e.log.Warn("broker: there is room on the disk again: records are taken", "directory", e.db.Dir())
	}
}
