package state

// Mark returns a savepoint of the stores and clocks. Savepoints are a stack: each ends with UndoTo or Release, the last
// one first, before the next Begin or Undo.
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

// UndoTo rolls back every change since a savepoint, and ends it.
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

// Release ends a savepoint and keeps the changes since. Undo still rolls them back.
func (s *Set) Release(mark int) { s.marks = s.marks[:mark] }

// Mark implements Store. Entries that change afterwards are saved again, even if they have changed before.
func (c *cache) Mark() int {
	c.record++
	return len(c.undo)
}

// UndoTo implements Store.
func (c *cache) UndoTo(mark int) {
	for i := len(c.undo) - 1; i >= mark; i-- { // backwards, because an entry may appear more than once
		c.restore(i)
	}
	c.forget(mark)
	c.record++ // the undo log no longer shows which entries have changed
}
