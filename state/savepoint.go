package state

// Mark notes how the stores and clocks are now, so that UndoTo can come back to it. Marks are a stack: each ends with UndoTo
// or Release, the last one first, before the next Begin or Undo.
func (s *Set) Mark() int {
	mark := len(s.marks)
	for _, c := range s.clocks {
		s.marks = append(s.marks, c.now)
	}
	for _, store := range s.stores {
		s.marks = append(s.marks, int64(store.Mark()))
	}
	return mark
}

// UndoTo takes back every change since a mark, and ends it.
func (s *Set) UndoTo(mark int) {
	at := s.marks[mark:]
	for i, c := range s.clocks {
		c.now = at[i]
	}
	at = at[len(s.clocks):]
	for i, store := range s.stores {
		store.UndoTo(int(at[i]))
	}
	s.Release(mark)
}

// Release ends a mark and keeps what has changed since. Undo still takes it back.
func (s *Set) Release(mark int) { s.marks = s.marks[:mark] }

// Mark implements Store. Entries that change from here on are noted again, even if they have changed before.
func (c *cache[V]) Mark() int {
	c.record++
	return len(c.undo)
}

// UndoTo implements Store.
func (c *cache[V]) UndoTo(mark int) {
	for i := len(c.undo) - 1; i >= mark; i-- { // backwards: an entry may be there more than once
		c.restore(c.undo[i])
	}
	clear(c.undo[mark:])
	c.undo = c.undo[:mark]
	c.record++ // what is in the log no longer says which entries have changed
}
