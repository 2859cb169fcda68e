package state

import (
	"encoding/binary"
	"fmt"
)

// Dump implements Store.
func (s *core[K, V]) Dump(log LogFunc) error {
	rows, err := s.db.Iter(s.prefix, after(s.prefix))
	if err != nil {
		return s.broken("dump", err)
	}
	defer rows.Close() // reads only
	for more := rows.First(); more; more = rows.Next() {
		physical, row := rows.Key()[len(s.prefix):], rows.Value()
		if err := s.layout.check(physical); err != nil {
			return s.broken("dump", err)
		}
		if len(row) < timestampSize {
			return s.broken("dump", fmt.Errorf("a row has at least 8 bytes, got %d: %w", len(row), ErrDamaged))
		}
		s.changelog = s.layout.appendChangelog(s.changelog[:0], physical)
		timestamp := s.layout.stamp(physical, int64(binary.BigEndian.Uint64(row)))
		if err := log(s.changelog, row[timestampSize:], timestamp); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return s.broken("dump", err)
	}
	return nil
}
