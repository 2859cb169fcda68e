package state

import "sync/atomic"

// Budget is a number of bytes that the caches of many stores share, of all stores of a process as a rule. It counts; the
// stores shrink themselves.
type Budget struct {
	limit  int64
	used   atomic.Int64
	stores atomic.Int64
}

// defaultBudget is the budget of a store that was given none.
const defaultBudget = 16 << 20

// NewBudget makes a budget of so many bytes. With 0 nothing stays in a cache beyond its commit.
func NewBudget(bytes int64) *Budget { return &Budget{limit: bytes} }

// Limit is the number of bytes the budget was made with.
func (b *Budget) Limit() int64 { return b.limit }

// Used is the number of bytes that the caches hold now.
func (b *Budget) Used() int64 { return b.used.Load() }

// excess tells a store that holds own bytes how many of them to let go: none while the budget is kept, or while the store
// has no more than its even share, so that a busy store is not starved by idle ones.
func (b *Budget) excess(own int64) int64 {
	over := b.used.Load() - b.limit
	if over <= 0 {
		return 0
	}
	share := b.limit / max(b.stores.Load(), 1)
	return min(over, max(own-share, 0))
}
