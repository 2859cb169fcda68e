package state

// cache holds the entries of one store that are in memory: those that changed, and those that were read lately.
//
// An entry that changed stays until its batch is committed. A clean one stands in the clock, a ring through which a hand goes
// when the budget is exceeded: it spares an entry that was used since its last visit and removes the others.
type cache[V any] struct {
	budget  *Budget
	entries map[string]*entry[V] // by physical key, prefix included

	record  uint64      // counts Begin
	undo    []undo[V]   // what the entries were at the last Begin
	dirty   []*entry[V] // changed since the last Flush, and some that were undone
	flushed []*entry[V] // flushed, and not yet committed

	clock []*entry[V]
	hand  int

	dirtyCount int
	dirtySize  int
	size       int
}

// content is what a store holds for a key.
type content[V any] struct {
	value     V
	timestamp int64
	has       bool // false: there is no such key
}

// entry is the content of one key, and where it stands between cache and database.
type entry[V any] struct {
	content[V]
	key    string
	size   int    // estimated bytes in memory
	record uint64 // the record in which it was first changed: its old content is in the undo log
	slot   int    // its place in the clock + 1; 0 = not there

	blind    bool // written without having been read: what the database holds is unknown
	dirty    bool // changed since the last Flush
	listed   bool // in cache.dirty
	flushing bool // in cache.flushed
	recent   bool // used since the hand's last visit
	pinned   bool // in use: must not be removed
}

type undo[V any] struct {
	entry *entry[V]
	content[V]
	dirty bool
	blind bool
}

const (
	entryOverhead = 160 // map slot, entry and key header
	defaultValue  = 64  // a value that was not yet encoded
)

// insert makes an entry for a key that has none.
func (c *cache[V]) insert(key string, content content[V], encoded int) *entry[V] {
	e := &entry[V]{key: key, content: content, size: entryOverhead + len(key) + encoded}
	c.entries[key] = e
	c.grow(e.size)
	return e
}

// keep puts a clean entry into the clock and lets go of others if the budget says so.
func (c *cache[V]) keep(e *entry[V]) {
	e.pinned = true
	c.shrink()
	e.pinned = false
	c.clock = append(c.clock, e)
	e.slot = len(c.clock)
}

// write changes an entry and remembers its old content.
func (c *cache[V]) write(e *entry[V], now content[V]) {
	if e.record != c.record {
		e.record = c.record
		c.undo = append(c.undo, undo[V]{e, e.content, e.dirty, e.blind})
	}
	e.content = now
	e.blind = false
	if !e.dirty {
		e.dirty = true
		c.dirtyCount++
		c.dirtySize += e.size
		if !e.listed {
			e.listed = true
			c.dirty = append(c.dirty, e)
		}
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
	for _, u := range c.undo {
		e := u.entry
		e.content, e.blind = u.content, u.blind
		if e.dirty && !u.dirty {
			e.dirty = false
			c.dirtyCount--
			c.dirtySize -= e.size
		}
		if e.blind && !e.flushing {
			c.remove(e)
		} else if !e.dirty && !e.flushing && e.slot == 0 {
			c.keep(e)
		}
	}
	c.Begin()
}

// takeDirty moves the dirty entries to those that wait for their commit.
func (c *cache[V]) takeDirty() []*entry[V] {
	first := len(c.flushed)
	for _, e := range c.dirty {
		e.listed = false
		if e.dirty {
			e.dirty = false
			e.flushing = true
			c.flushed = append(c.flushed, e)
		}
	}
	clear(c.dirty)
	c.dirty = c.dirty[:0]
	c.dirtyCount, c.dirtySize = 0, 0
	return c.flushed[first:]
}

// Committed implements Store.
func (c *cache[V]) Committed() {
	for _, e := range c.flushed {
		e.flushing = false
		if !e.dirty && e.slot == 0 {
			c.clock = append(c.clock, e)
			e.slot = len(c.clock)
		}
	}
	clear(c.flushed)
	c.flushed = c.flushed[:0]
	c.shrink()
}

// shrink turns the hand until the budget is kept or the clock is empty.
func (c *cache[V]) shrink() {
	excess := c.budget.excess(int64(c.size))
	if excess == 0 {
		return
	}
	goal := c.size - int(excess)
	for turns := 2 * len(c.clock); turns > 0 && c.size > goal && len(c.clock) > 0; turns-- {
		if c.hand >= len(c.clock) {
			c.hand = 0
		}
		switch e := c.clock[c.hand]; {
		case e.dirty || e.flushing:
			c.unclock(e) // it comes back when it is committed
		case e.pinned || e.recent:
			e.recent = false
			c.hand++
		default:
			c.remove(e)
		}
	}
}

// remove takes a clean entry out of memory.
func (c *cache[V]) remove(e *entry[V]) {
	c.unclock(e)
	delete(c.entries, e.key)
	c.grow(-e.size)
}

// unclock takes an entry out of the ring; the last one takes its place.
func (c *cache[V]) unclock(e *entry[V]) {
	if e.slot == 0 {
		return
	}
	last := len(c.clock) - 1
	moved := c.clock[last]
	c.clock[e.slot-1] = moved
	moved.slot = e.slot
	e.slot = 0
	c.clock[last] = nil
	c.clock = c.clock[:last]
}

// Discard implements Store.
func (c *cache[V]) Discard() {
	clear(c.entries)
	c.Begin()
	for _, list := range []*[]*entry[V]{&c.dirty, &c.flushed, &c.clock} {
		clear(*list)
		*list = (*list)[:0]
	}
	c.hand, c.dirtyCount, c.dirtySize = 0, 0, 0
	c.grow(-c.size)
}

// Close implements Store.
func (c *cache[V]) Close() {
	c.Discard()
	c.budget.stores.Add(-1)
}

func (c *cache[V]) Dirty() int       { return c.dirtyCount }
func (c *cache[V]) DirtyBytes() int  { return c.dirtySize }
func (c *cache[V]) CachedBytes() int { return c.size }

// resize corrects the size of an entry once its row is known.
func (c *cache[V]) resize(e *entry[V], encoded int) {
	size := entryOverhead + len(e.key) + encoded
	if size != e.size {
		c.grow(size - e.size)
		e.size = size
	}
}

func (c *cache[V]) grow(n int) {
	c.size += n
	c.budget.used.Add(int64(n))
}
