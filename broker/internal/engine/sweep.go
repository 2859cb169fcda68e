package engine

import "time"

// sweep applies retention, compaction and expiry.
func (e *Engine) sweep(now time.Time) {
	e.checkDisk()
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

// checkDisk refuses records while the disk has no space for them, and logs it.
func (e *Engine) checkDisk() {
	switch full := e.db.Full(); {
	case e.full.Swap(full) == full:
	case full:
		e.log.Error("broker: the disk is full: refusing records until there is space", "directory", e.db.Dir())
	default:
		e.log.Warn("broker: there is space on the disk again: accepting records", "directory", e.db.Dir())
	}
}
