package state

import (
	"encoding/binary"
	"iter"
	"slices"
	"time"
)

// Sessions returns the declaration of a store whose keys are sessions, kept for retention after their end. The sessions
// of a key must be more than gap apart. The key codec must end each key with the end and the start of the session, as
// codec.Windowed(key).Sessions() does. Rows are ordered by key within time ranges of the length of the gap, which makes
// FetchKey cheap.
func (d *KeyValueDefinition[K, V]) Sessions(gap, retention time.Duration) *KeyValueDefinition[K, V] {
	s := *d
	s.layout = layout{kind: bySession, bucket: max(gap.Milliseconds(), 1)}
	s.size, s.retention = gap, retention
	return &s
}

// FetchKey iterates over the windows that have the same key as the given one, whatever its time: those with
// from ≤ start ≤ to, by start; in a store of sessions those with from ≤ end and start ≤ to. It is for stores declared
// with WindowedByKey or Sessions.
func (s *KeyValue[K, V]) FetchKey(like K, from, to time.Time) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		reading := s.core.reading()
		encoded, err := reading.rows.keys.Append(nil, like)
		if err == nil {
			encoded, err = reading.scanner.plainKey(encoded)
		}
		if err != nil {
			yield(Row[K, V]{}, reading.scanner.space.wrap("fetch", err))
			return
		}
		reading.fetch(encoded, from, to, yield)
	}
}

// plainKey returns an encoded key without its window.
func (s *scanner) plainKey(encoded []byte) ([]byte, error) {
	layout := s.space.layout
	if layout.kind != byKey && layout.kind != bySession {
		return nil, errNotByKey
	}
	physical, err := layout.arrange(append(make([]byte, timeSize, timeSize+len(encoded)), encoded...), 0)
	if err != nil {
		return nil, err
	}
	return slices.Clip(physical[timeSize : len(physical)-layout.suffix()]), nil
}

// sessionStart returns the start of a session from its database key.
func sessionStart(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[len(key)-timeSize:])) }
