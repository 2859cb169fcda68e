package state

import (
	"slices"
	"strings"
)

// cache holds the entries of one store that are in memory: changed entries, and entries that were read recently.
//
// A changed entry stays until its batch is committed. Clean entries are evicted by the clock algorithm when the budget
// is exceeded: a hand moves through a ring of entries, spares those that were used since its last visit, and evicts the
// others.
type cache struct {
	budget   *Budget
	sealing  bool              // contents are kept encoded, see content
	overhead int               // bytes per entry beyond key and value
	entries  map[string]*entry // by physical key, prefix included

	record   uint64   // incremented by Begin and Mark
	undo     []undo   // old contents since the last Begin or Mark
	dirty    []*entry // changed since the last Flush; some may have been undone
	flushing []*entry // flushed, but not yet committed
	index    *index   // keys of the dirty and flushing entries, some undone; nil until a scan needs it

	ring []*entry
	hand int

	dirtyCount, dirtySize int
	size                  int
	lookups               Lookups
	closed                bool

	values values
}

// values is the typed part of a cache.
type values interface {
	// restore gives an entry the value that it had when it was saved as the i-th of the undo log; forget drops the saved
	// values from the i-th on.
	restore(i int, e *entry)
	forget(i int)

	// appendValue encodes the value of an entry.
	appendValue(dst []byte, e *entry) ([]byte, error)
}

// content is what a store holds for a key, apart from the decoded value. A value with references inside (maps, slices,
// pointers) is kept encoded: otherwise the caller that got it could change it in place, bypassing Undo and the
// changelog.
type content struct {
	sealed    []byte // replaces the decoded value in a sealing store; never modified
	timestamp int64
	has       bool // whether the key exists
}

// since returns the timestamp of a value. The timestamp of a tombstone only goes to the changelog; the database does
// not keep it.
func (c content) since() int64 {
	if !c.has {
		return 0
	}
	return c.timestamp
}

// entry is the cached content of one key.
type entry struct {
	content
	key    string
	size   int    // estimated bytes in memory
	record uint64 // the value of cache.record when it was first changed: its old content is in the undo log
	slot   int    // its index in the ring plus 1; 0 if it is not there
	cell   any    // the *cell[V] that it is part of

	blind    bool // the content in the database is unknown
	dirty    bool // changed since the last Flush
	listed   bool // in cache.dirty
	flushing bool // in cache.flushing
	recent   bool // used since the hand's last visit
	pinned   bool // in use, not to be evicted
}

// undo is the state of an entry at the last Begin or Mark.
type undo struct {
	entry *entry
	content
	dirty, blind bool
}

// unencoded is the assumed size of a value that has not been encoded yet.
const unencoded = 64

// newCache returns an empty cache, whose entries have cellSize bytes, value included.
func newCache(budget *Budget, sealing bool, cellSize uintptr, values values) cache {
	budget.stores.Add(1)
	const mapSlot = 64 // map slot, spare capacity of the map, and ring slot
	return cache{
		budget: budget, sealing: sealing, entries: make(map[string]*entry),
		overhead: int(cellSize) + mapSlot, values: values,
	}
}

// insert adds an entry for a new key, given the size of its encoded value, 0 if that is unknown.
func (c *cache) insert(e *entry, key string, encoded int) {
	if encoded == 0 {
		encoded = unencoded
	}
	e.key, e.size = key, c.overhead+len(key)+encoded
	c.entries[key] = e
	c.grow(e.size)
}

// lookup returns the entry of a key, nil if it is not in memory.
func (c *cache) lookup(key []byte) *entry {
	e := c.entries[string(key)]
	if e == nil {
		c.lookups.Misses++
		return nil
	}
	e.recent = true
	c.lookups.Hits++
	return e
}

// addClean adds a clean entry to the ring and evicts others if the budget is exceeded.
func (c *cache) addClean(e *entry) {
	c.shrink()
	c.ring = append(c.ring, e)
	e.slot = len(c.ring)
}

// touch saves the content of an entry before it is changed, and reports whether its value must be saved too.
func (c *cache) touch(e *entry) (save bool) {
	if e.record != c.record {
		e.record = c.record
		c.undo = append(c.undo, undo{e, e.content, e.dirty, e.blind})
		save = !c.sealing
	}
	e.blind = false
	if !e.dirty {
		c.mark(e)
	}
	return save
}

// mark marks an entry as dirty.
func (c *cache) mark(e *entry) {
	e.dirty = true
	c.dirtyCount++
	c.dirtySize += e.size
	if !e.listed {
		e.listed = true
		c.dirty = append(c.dirty, e)
	}
	if c.index != nil {
		c.index.add(e.key)
	}
}

// Begin implements Store.
func (c *cache) Begin() {
	c.record++
	c.forget(0)
}

// forget drops the undo log from an index on.
func (c *cache) forget(i int) {
	if i == len(c.undo) {
		return
	}
	clear(c.undo[i:])
	c.undo = c.undo[:i]
	if !c.sealing {
		c.values.forget(i)
	}
}

// Undo implements Store.
func (c *cache) Undo() {
	c.UndoTo(0)
	c.Begin()
}

// restore restores the i-th saved state of the undo log.
func (c *cache) restore(i int) {
	u := c.undo[i]
	e := u.entry
	e.content, e.blind = u.content, u.blind
	if !c.sealing {
		c.values.restore(i, e)
	}
	if !u.dirty {
		e.dirty = false
		c.dirtyCount--
		c.dirtySize -= e.size
	}
	if c.sealing {
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
func (c *cache) takeDirty() []*entry {
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
	slices.SortFunc(taken, func(a, b *entry) int { return strings.Compare(a.key, b.key) })
	return taken
}

// Committed implements Store.
func (c *cache) Committed() {
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
func (c *cache) shrink() {
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
func (c *cache) evict(e *entry) {
	c.removeFromRing(e)
	delete(c.entries, e.key)
	c.grow(-e.size)
}

// removeFromRing removes an entry from the ring; the last one takes its slot.
func (c *cache) removeFromRing(e *entry) {
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
func (c *cache) Close() {
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
func (c *cache) Dirty() int { return c.dirtyCount }

// DirtyBytes implements Store.
func (c *cache) DirtyBytes() int { return c.dirtySize }

// CachedBytes implements Store.
func (c *cache) CachedBytes() int { return c.size }

// resize updates the size of an entry once its encoded size is known.
func (c *cache) resize(e *entry, encoded int) {
	size := c.overhead + len(e.key) + encoded
	if e.dirty {
		c.dirtySize += size - e.size
	}
	c.grow(size - e.size)
	e.size = size
}

func (c *cache) grow(n int) {
	if n != 0 {
		c.size += n
		c.budget.used.Add(int64(n))
	}
}

// first returns the first uncommitted key at or after from.
func (c *cache) first(from []byte) (key string, found bool) {
	c.ascend(from, func(e *entry) bool {
		key, found = e.key, true
		return false
	})
	return key, found
}

// uncommitted appends the uncommitted contents of a range of keys, in key order.
func (c *cache) uncommitted(dst []pending, lower, upper []byte) []pending {
	c.ascend(lower, func(e *entry) bool {
		if upper != nil && e.key >= string(upper) {
			return false
		}
		dst = append(dst, pending{e, e.content})
		return true
	})
	return dst
}

// ascend calls visit for the uncommitted entries from a key on, in key order. The first call after a commit sorts them;
// later calls keep them sorted.
func (c *cache) ascend(from []byte, visit func(*entry) bool) {
	if len(c.dirty)+len(c.flushing) == 0 {
		return
	}
	if c.index == nil {
		c.index = newIndex()
		for _, list := range [][]*entry{c.flushing, c.dirty} {
			for _, e := range list {
				if e.dirty || e.flushing { // not undone
					c.index.add(e.key)
				}
			}
		}
	}
	c.index.ascend(string(from), func(key string) bool {
		e := c.entries[key] // nil if it was undone and evicted
		return e == nil || !e.dirty && !e.flushing || visit(e)
	})
}

// pending is an uncommitted entry, with its content at the time a scan began.
type pending struct {
	entry *entry
	content
}
