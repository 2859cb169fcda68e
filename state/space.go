package state

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// space is the part of a database that holds the rows of one store. A row is
//
//	| prefix | physical key … |  →  | timestamp: ms since 1970, 8 bytes BE | value … |
//
// which is Kafka Streams' timestamped format. The changelog has the value alone; the timestamp is that of its record.
// A space has no mutable state, so a store and its views share one.
//
// Like everything in this package that works on bytes, it has no type parameters: the compiler compiles generic code
// again for each type of key and value in each program.
type space struct {
	name   string
	prefix []byte
	layout layout

	// retention is how long the row of a window is kept after the start of the window, or the end of a session, in ms.
	retention int64
}

const timestampSize = 8

// begin appends what precedes an encoded key in the database, and finish completes the key. head is the length of dst
// at begin, and err the error of the key codec.
func (s *space) begin(dst []byte) []byte {
	dst = append(dst, s.prefix...)
	if s.layout.kind != plain {
		dst = appendTime(dst, 0)
	}
	return dst
}

func (s *space) finish(dst []byte, head int, err error) ([]byte, error) {
	if err == nil && s.layout.kind != plain {
		dst, err = s.layout.arrange(dst, head+len(s.prefix))
	}
	if err != nil {
		return dst, s.wrap("encode key", err)
	}
	return dst, nil
}

// physical returns a database key without the prefix.
func (s *space) physical(key []byte) []byte { return key[len(s.prefix):] }

// split splits a row into timestamp and value.
func (s *space) split(row []byte) (timestamp int64, value []byte, err error) {
	if len(row) < timestampSize {
		return 0, nil, s.storeError("read", fmt.Errorf("a row has at least 8 bytes, got %d: %w", len(row), ErrDamaged))
	}
	return int64(binary.BigEndian.Uint64(row)), row[timestampSize:], nil
}

// horizon returns the earliest time (see layout) of a window that has not expired at a time of the store. A timestamp
// of 0 means no time: nothing has expired.
func (s *space) horizon(time int64) int64 {
	if time <= 0 {
		return never
	}
	if s.layout.kind == bySequence { // as in Kafka Streams, a record as old as the retention is too old
		return time - s.retention + 1
	}
	return time - s.retention
}

// visible reports whether a database key is not that of an expired window.
func (s *space) visible(key []byte, horizon int64) bool {
	return horizon == never || s.layout.time(s.physical(key)) >= horizon
}

// inBucket returns the database key of a window in a bucket; for a session what it begins with.
func (s *space) inBucket(bucket int64, key []byte, time int64) []byte {
	at := append(appendTime(slices.Clone(s.prefix), bucket), key...)
	return binary.BigEndian.AppendUint64(at, uint64(time))
}

// after returns the first key after all keys that start with prefix; nil if there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			next := slices.Clone(prefix[:i+1])
			next[i]++
			return next
		}
	}
	return nil
}

// each calls visit for the committed rows of the store in from, including expired ones, until visit returns false or an
// error. Key and value are only valid during the call.
func (s *space) each(from Reader, doing string, visit func(key, value []byte, timestamp int64) (more bool, err error)) error {
	rows, err := from.Iter(s.prefix, after(s.prefix))
	if err != nil {
		return s.storeError(doing, err)
	}
	defer rows.Close() // read-only
	for more := rows.First(); more; more = rows.Next() {
		if err := s.layout.check(s.physical(rows.Key())); err != nil {
			return s.storeError(doing, err)
		}
		timestamp, value, err := s.split(rows.Value())
		if err != nil {
			return err
		}
		if more, err := visit(rows.Key(), value, timestamp); !more || err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return s.storeError(doing, err)
	}
	return nil
}

// wrap adds to an error the name of the store and the operation.
func (s *space) wrap(doing string, err error) error {
	return fmt.Errorf("state: store %q: %s: %w", s.name, doing, err)
}

// storeError is wrap for an error of the store itself, which is not the record's fault.
func (s *space) storeError(doing string, err error) error {
	return &Error{Store: s.name, Err: s.wrap(doing, err)}
}
