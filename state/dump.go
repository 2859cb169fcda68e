package state

// Dump implements Store.
func (s *core[K, V]) Dump(log LogFunc) error {
	rows, err := s.db.Iter(s.prefix, after(s.prefix))
	if err != nil {
		return s.broken("dump", err)
	}
	defer rows.Close() // reads only
	for more := rows.First(); more; more = rows.Next() {
		physical := rows.Key()[len(s.prefix):]
		if err := s.layout.check(physical); err != nil {
			return s.broken("dump", err)
		}
		timestamp, value, err := s.split(rows.Value())
		if err != nil {
			return err
		}
		s.changelog = s.layout.appendChangelog(s.changelog[:0], physical)
		if err := log(s.changelog, value, s.layout.stamp(physical, timestamp)); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return s.broken("dump", err)
	}
	return nil
}
