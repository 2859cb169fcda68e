package state

import (
	"reflect"
	"slices"
	"strings"

	"github.com/tidwall/btree"
)

// cache holds the entries of one store that are in memory: changed entries, and entries that were read recently.
//
// A changed entry stays until its batch is committed. Clean entries are evicted by the clock algorithm when the budget
// is exceeded: a hand moves through a ring of entries, spares those that were used since its last visit, and evicts the
// others.
type cache[V any] struct {
	budget   *Budget
	sealed   bool                 // contents are kept encoded, see content
	overhead int                  // bytes per entry beyond key and value
	entries  map[string]*entry[V] // by physical key, prefix included

	record   uint64      // incremented by Begin and Mark
	undo     []undo[V]   // old contents since the last Begin or Mark
	dirty    []*entry[V] // changed since the last Flush; some may have been undone
	flushing []*entry[V] // flushed, but not yet committed
	index    *btree.BTreeG[*entry[V]]

	ring []*entry[V]
	hand int

	dirtyCount, dirtySize int
	size                  int
	lookups               Lookups
	closed                bool
}

// content is the value that a store holds for a key. A value with references inside (maps, slices, pointers) is kept
// encoded: otherwise the caller that got it could change it in place, bypassing Undo and the changelog.
type content[V any] struct {
	value     V
	sealed    []byte // replaces value in a sealed store; never modified
	timestamp int64
	has       bool // whether the key exists
}

// since returns the timestamp of a value. The timestamp of a tombstone only goes to the changelog; the database does
// not keep it.
func (c content[V]) since() int64 {
	if !c.has {
		return 0
	}
	return c.timestamp
}

// entry is the cached content of one key.
type entry[V any] struct {
	content[V]
	key    string
	size   int    // estimated bytes in memory
	record uint64 // the value of cache.record when it was first changed: its old content is in the undo log
	slot   int    // its index in the ring plus 1; 0 if it is not there

	blind    bool // the content in the database is unknown
	dirty    bool // changed since the last Flush
	listed   bool // in cache.dirty
	flushing bool // in cache.flushing
	recent   bool // used since the hand's last visit
	pinned   bool // in use, not to be evicted
}

// undo is the state of an entry at the last Begin or Mark.
type undo[V any] struct {
	entry *entry[V]
	content[V]
	dirty, blind bool
}

// unencoded is the assumed size of a value that has not been encoded yet.
const unencoded = 64

func newCache[V any](budget *Budget, sealed bool) cache[V] {
	budget.stores.Add(1)
	const mapSlot = 64 // map slot, spare capacity of the map, and ring slot
	return cache[V]{
		budget: budget, sealed: sealed, entries: make(map[string]*entry[V]),
		overhead: int(reflect.TypeFor[entry[V]]().Size()) + mapSlot,
	}
}

// insert adds an entry for a new key.
func (c *cache[V]) insert(key string, content content[V], encoded int) *entry[V] {
	if encoded == 0 {
		encoded = unencoded
	}
	e := &entry[V]{key: key, content: content, size: c.overhead + len(key) + encoded}
	c.entries[key] = e
	c.grow(e.size)
	return e
}

// addClean adds a clean entry to the ring and evicts others if the budget is exceeded.
func (c *cache[V]) addClean(e *entry[V]) {
	c.shrink()
	c.ring = append(c.ring, e)
	e.slot = len(c.ring)
}

// write changes the content of an entry.
func (c *cache[V]) write(e *entry[V], now content[V]) {
	c.touch(e)
	e.content = now
	if c.sealed {
		c.resize(e, len(now.sealed))
	}
}

// touch saves the content of an entry before it is changed.
func (c *cache[V]) touch(e *entry[V]) {
	if e.record != c.record {
		e.record = c.record
		c.undo = append(c.undo, undo[V]{e, e.content, e.dirty, e.blind})
	}
	e.blind = false
	if !e.dirty {
		c.mark(e)
	}
}

// mark marks an entry as dirty.
func (c *cache[V]) mark(e *entry[V]) {
	e.dirty = true
	c.dirtyCount++
	c.dirtySize += e.size
	if !e.listed {
		e.listed = true
		c.dirty = append(c.dirty, e)
	}
	if c.index != nil {
		c.index.Set(e)
	}
}

// Begin implements Store.
func (c *cache[V]) Begin() {
	c.record++
	clear(c.undo)
	c.undo = c.undo[:0]
}

// Undo implements Store.
func (c *cache[V]) Undo() {
	c.UndoTo(0)
	c.Begin()
}

// restore restores the saved state of an entry.
func (c *cache[V]) restore(u undo[V]) {
	e := u.entry
	e.content, e.blind = u.content, u.blind
	if !u.dirty {
		e.dirty = false
		c.dirtyCount--
		c.dirtySize -= e.size
	}
	if c.sealed {
		c.resize(e, len(e.sealed))
	}
	switch {
	case e.dirty || e.flushing:
	case e.blind:
		c.evict(e)
	case e.slot == 0:
		c.addClean(e)
	}
}

// takeDirty moves the dirty entries, in key order, to those that wait for their commit.
func (c *cache[V]) takeDirty() []*entry[V] {
	first := len(c.flushing)
	for _, e := range c.dirty {
		e.listed = false
		if !e.dirty {
			continue
		}
		e.dirty = false
		e.flushing = true
		c.flushing = append(c.flushing, e) // twice if an earlier Flush is not committed yet
	}
	clear(c.dirty)
	c.dirty = c.dirty[:0]
	c.dirtyCount, c.dirtySize = 0, 0
	taken := c.flushing[first:]
	slices.SortFunc(taken, func(a, b *entry[V]) int { return strings.Compare(a.key, b.key) })
	return taken
}

// Committed implements Store.
func (c *cache[V]) Committed() {
	for _, e := range c.flushing {
		e.flushing = false
		if !e.dirty && e.slot == 0 {
			c.ring = append(c.ring, e)
			e.slot = len(c.ring)
		}
	}
	clear(c.flushing)
	c.flushing = c.flushing[:0]
	c.index = nil
	c.shrink()
}

// shrink moves the hand until the budget is kept or the ring is empty.
func (c *cache[V]) shrink() {
	excess := c.budget.excess(int64(c.size))
	if excess == 0 {
		return
	}
	goal := c.size - int(excess)
	for turns := 2 * len(c.ring); turns > 0 && c.size > goal && len(c.ring) > 0; turns-- {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		switch e := c.ring[c.hand]; {
		case e.dirty || e.flushing:
			c.removeFromRing(e) // it returns to the ring when it is committed
		case e.pinned || e.recent:
			e.recent = false
			c.hand++
		default:
			c.evict(e)
		}
	}
}

// evict removes a clean entry from memory.
func (c *cache[V]) evict(e *entry[V]) {
	c.removeFromRing(e)
	delete(c.entries, e.key)
	c.grow(-e.size)
}

// removeFromRing removes an entry from the ring; the last one takes its slot.
func (c *cache[V]) removeFromRing(e *entry[V]) {
	if e.slot == 0 {
		return
	}
	last := len(c.ring) - 1
	moved := c.ring[last]
	c.ring[e.slot-1] = moved
	moved.slot = e.slot
	e.slot = 0
	c.ring[last] = nil
	c.ring = c.ring[:last]
}

// Close implements Store.
func (c *cache[V]) Close() {
	if c.closed {
		return
	}
	c.closed = true
	clear(c.entries)
	c.undo, c.dirty, c.flushing, c.ring, c.index = nil, nil, nil, nil, nil
	c.hand, c.dirtyCount, c.dirtySize = 0, 0, 0
	c.grow(-c.size)
	c.budget.stores.Add(-1)
}

// Dirty implements Store.
func (c *cache[V]) Dirty() int { return c.dirtyCount }

// DirtyBytes implements Store.
func (c *cache[V]) DirtyBytes() int { return c.dirtySize }

// CachedBytes implements Store.
func (c *cache[V]) CachedBytes() int { return c.size }

// resize updates the size of an entry once its encoded size is known.
func (c *cache[V]) resize(e *entry[V], encoded int) {
	size := c.overhead + len(e.key) + encoded
	if e.dirty {
		c.dirtySize += size - e.size
	}
	c.grow(size - e.size)
	e.size = size
}

func (c *cache[V]) grow(n int) {
	if n != 0 {
		c.size += n
		c.budget.used.Add(int64(n))
	}
}

// first returns the first uncommitted key at or after from.
func (c *cache[V]) first(from []byte) (key string, found bool) {
	c.ascend(from, func(e *entry[V]) bool {
		key, found = e.key, true
		return false
	})
	return key, found
}

// uncommitted appends the uncommitted contents of a range of keys, in key order.
func (c *cache[V]) uncommitted(dst []pending[V], lower, upper []byte) []pending[V] {
	c.ascend(lower, func(e *entry[V]) bool {
		if upper != nil && e.key >= string(upper) {
			return false
		}
		dst = append(dst, pending[V]{e.key, e.content})
		return true
	})
	return dst
}

// ascend calls visit for the uncommitted entries from a key on, in key order. The first call after a commit sorts them;
// later calls keep them sorted.
func (c *cache[V]) ascend(from []byte, visit func(*entry[V]) bool) {
	if len(c.dirty)+len(c.flushing) == 0 {
		return
	}
	if c.index == nil {
		less := func(a, b *entry[V]) bool { return a.key < b.key }
		c.index = btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
		for _, list := range [][]*entry[V]{c.flushing, c.dirty} {
			for _, e := range list {
				if e.dirty || e.flushing { // not undone
					c.index.Set(e)
				}
			}
		}
	}
	c.index.Ascend(&entry[V]{key: string(from)}, func(e *entry[V]) bool {
		return !e.dirty && !e.flushing || visit(e)
	})
}

// pending is an uncommitted entry at the time a scan began.
type pending[V any] struct {
	key string
	content[V]
}
