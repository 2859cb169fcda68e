package state

// Dump implements Store.
func (s *core[K, V]) Dump(log LogFunc) error {
	return s.each(s.db, "dump", func(key, value []byte, timestamp int64) (bool, error) {
		physical := key[len(s.prefix):]
		s.changelog = s.layout.appendChangelog(s.changelog[:0], physical)
		return true, log(s.changelog, value, s.layout.stamp(physical, timestamp))
	})
}
