package state

import "sync/atomic"

// Budget is a number of bytes that the caches of many stores share, usually all stores of a process. It only counts;
// each store shrinks its own cache.
type Budget struct {
	limit  int64
	used   atomic.Int64
	stores atomic.Int64
}

// defaultBudget is the budget of a store without one.
const defaultBudget = 16 << 20

// NewBudget returns a budget of so many bytes. With 0, caches only keep uncommitted entries.
func NewBudget(bytes int64) *Budget { return &Budget{limit: bytes} }

// Limit returns the size of the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Used returns the current size of the caches in bytes.
func (b *Budget) Used() int64 { return b.used.Load() }

// excess returns how many bytes a store should evict, given that it holds own bytes: 0 if the budget is not exceeded,
// or if the store has at most an equal share, so that idle stores cannot starve a busy one.
func (b *Budget) excess(own int64) int64 {
	over := b.used.Load() - b.limit
	if over <= 0 {
		return 0
	}
	share := b.limit / max(b.stores.Load(), 1)
	return min(over, max(own-share, 0))
}
