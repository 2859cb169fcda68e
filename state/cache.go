package state

import (
	"reflect"
	"slices"
	"strings"

	"github.com/tidwall/btree"
)

// cache holds the entries of one store that are in memory: those that changed, and those that were read lately.
//
// An entry that changed stays until its batch is committed. A clean one stands in a ring through which a hand goes
// when the budget is exceeded: it spares an entry that was used since its last visit and removes the others.
type cache[V any] struct {
	budget   *Budget
	sealed   bool                 // contents are encoded: see content
	overhead int                  // bytes of an entry beside its key and value
	entries  map[string]*entry[V] // by physical key, prefix included

	record   uint64      // counts Begin, and Mark within
	undo     []undo[V]   // what the entries were at the last Begin, or Mark
	dirty    []*entry[V] // changed since the last Flush, and some that were undone
	flushing []*entry[V] // flushed, and not yet committed
	index    *btree.BTreeG[*entry[V]]

	ring []*entry[V]
	hand int

	dirtyCount, dirtySize int
	size                  int
	lookups               Lookups
	closed                bool
}

// content is what a store holds for a key. A value with references inside (maps, slices, pointers) is held encoded: otherwise whoever
// got it from the store could change it there, behind the back of Undo and of the changelog.
type content[V any] struct {
	value     V
	sealed    []byte // instead of value in a sealed store; never written to
	timestamp int64
	has       bool // false: there is no such key
}

// since is the timestamp of a value. That of a tombstone is for the changelog alone: the database does not keep it.
func (c content[V]) since() int64 {
	if !c.has {
		return 0
	}
	return c.timestamp
}

// entry is the content of one key, and where it stands between cache and database.
type entry[V any] struct {
	content[V]
	key    string
	size   int    // estimated bytes in memory
	record uint64 // the record in which it was first changed: its old content is in the undo log
	slot   int    // its place in the ring + 1; 0 = not there

	blind    bool // nothing is known of what the database holds
	dirty    bool // changed since the last Flush
	listed   bool // in cache.dirty
	flushing bool // in cache.flushing
	recent   bool // used since the hand's last visit
	pinned   bool // in use: must not be removed
}

// undo is an entry as it was at the last Begin or Mark.
type undo[V any] struct {
	entry *entry[V]
	content[V]
	dirty, blind bool
}

// unencoded is the assumed size of a value that was not encoded yet.
const unencoded = 64

func newCache[V any](budget *Budget, sealed bool) cache[V] {
	budget.stores.Add(1)
	const mapSlot = 64 // a map's slot, its spare room, and the ring's slot
	return cache[V]{
		budget: budget, sealed: sealed, entries: make(map[string]*entry[V]),
		overhead: int(reflect.TypeFor[entry[V]]().Size()) + mapSlot,
	}
}

// insert makes an entry for a key that has none.
func (c *cache[V]) insert(key string, content content[V], encoded int) *entry[V] {
	if encoded == 0 {
		encoded = unencoded
	}
	e := &entry[V]{key: key, content: content, size: c.overhead + len(key) + encoded}
	c.entries[key] = e
	c.grow(e.size)
	return e
}

// keep puts a clean entry into the ring and lets go of others if the budget says so.
func (c *cache[V]) keep(e *entry[V]) {
	c.shrink()
	c.ring = append(c.ring, e)
	e.slot = len(c.ring)
}

// write changes an entry.
func (c *cache[V]) write(e *entry[V], now content[V]) {
	c.touch(e)
	e.content = now
	if c.sealed {
		c.resize(e, len(now.sealed))
	}
}

// touch makes an entry ready to be changed: it remembers the old content.
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

// mark makes an entry dirty.
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

// restore makes an entry what it was.
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
		c.keep(e)
	}
}

// takeDirty moves the dirty entries, in the order of their keys, to those that wait for their commit.
func (c *cache[V]) takeDirty() []*entry[V] {
	first := len(c.flushing)
	for _, e := range c.dirty {
		e.listed = false
		if !e.dirty {
			continue
		}
		e.dirty = false
		e.flushing = true
		c.flushing = append(c.flushing, e) // a second time if an earlier Flush is not yet committed
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

// shrink turns the hand until the budget is kept or the ring is empty.
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
			c.unring(e) // it comes back when it is committed
		case e.pinned || e.recent:
			e.recent = false
			c.hand++
		default:
			c.evict(e)
		}
	}
}

// evict takes a clean entry out of memory.
func (c *cache[V]) evict(e *entry[V]) {
	c.unring(e)
	delete(c.entries, e.key)
	c.grow(-e.size)
}

// unring takes an entry out of the ring; the last one takes its place.
func (c *cache[V]) unring(e *entry[V]) {
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

// resize corrects the size of an entry once its encoded size is known.
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

// first is the first uncommitted key at or after a given one.
func (c *cache[V]) first(from []byte) (key string, found bool) {
	c.ascend(from, func(e *entry[V]) bool {
		key, found = e.key, true
		return false
	})
	return key, found
}

// uncommitted appends the uncommitted contents of a range of keys, in their order.
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

// ascend visits the uncommitted entries from a key on, in the order of their keys. The first call of a commit interval sorts
// them; from then on they are kept sorted.
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

// pending is an uncommitted entry as it was when a scan began.
type pending[V any] struct {
	key string
	content[V]
}
