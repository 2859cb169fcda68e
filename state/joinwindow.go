package state

import (
	"encoding/binary"
	"fmt"
	"iter"
	"sort"
	"time"

	"github.com/rio-streams/rio/codec"
)

// JoinWindowDefinition declares a store of the records of one input of a stream-stream join: Kafka Streams' window
// store that retains duplicates.
type JoinWindowDefinition struct {
	rows                 *KeyValueDefinition[[]byte, []byte]
	description, written string
}

// NewJoinWindow declares a store of records by key and time, which keeps all records of one key and time. A record is
// found as long as it is newer than the retention, in the time of the records in the store. Reads usually span size, so
// the rows of a key are adjacent within time ranges of that length.
func NewJoinWindow[K, V any](name string, key codec.Codec[K], value codec.Codec[V], size, retention time.Duration) *JoinWindowDefinition {
	size = max(size, time.Millisecond)
	rows := &KeyValueDefinition[[]byte, []byte]{name: name, size: size, retention: max(retention, size)}
	rows.layout = layout{kind: bySequence, bucket: size.Milliseconds()}
	d := &JoinWindowDefinition{rows: rows}
	if key != nil && value != nil { // otherwise Open reports it
		rows.keys, rows.values = codec.Bytes, codec.Bytes
		d.description = fmt.Sprintf("join window %s, %s → %s", size, key, value)
		d.written = fmt.Sprintf("join window %s, %s → %s", size, codec.Format(key), codec.Format(value))
	}
	return d
}

// Name implements Definition.
func (d *JoinWindowDefinition) Name() string { return d.rows.name }

// Retention implements Definition.
func (d *JoinWindowDefinition) Retention() time.Duration { return d.rows.retention }

// String implements Definition.
func (d *JoinWindowDefinition) String() string { return d.description }

// Format implements Definition.
func (d *JoinWindowDefinition) Format() string { return d.written }

// Open implements Definition.
func (d *JoinWindowDefinition) Open(db DB, prefix []byte, opts Options) (Store, error) {
	return d.rows.Open(db, prefix, opts)
}

// Encoded implements Definition.
func (d *JoinWindowDefinition) Encoded(r Reader) iter.Seq2[EncodedRow, error] {
	return encoded(r, d, d.rows)
}

// In returns the handle of the store that a task opened, like KeyValueDefinition.In.
func (d *JoinWindowDefinition) In(s Stores) *JoinWindow { return &JoinWindow{core: d.rows.in(s)} }

// JoinWindow is a task's handle of a store of records by key and time. Keys and values are encoded. Only the task's
// goroutine may use it.
type JoinWindow struct {
	core  *core[[]byte, []byte]
	row   []byte // the key of the row to write
	found []instant
	bytes []byte // the values of found
}

// instant is a found record: its time, and where its value ends.
type instant struct {
	timestamp int64
	end       int
}

// Add adds a record. It reports false if the record is already too old to be found.
func (w *JoinWindow) Add(key, value []byte, timestamp int64) (added bool, err error) {
	c, err := w.core.seal(value, timestamp)
	if err != nil {
		return false, err
	}
	cell, visible, err := w.locate(key, timestamp, 0)
	if err != nil || !visible {
		return false, err
	}
	if cell != nil && cell.entry.has {
		if cell, err = w.vacant(key, timestamp); err != nil {
			return false, err
		}
	}
	if cell == nil { // newer than all rows
		return true, w.core.put(w.row, nil, c)
	}
	w.core.write(cell, nil, c)
	return true, nil
}

// locate returns the cell of a row, and whether the store may have the row. The cell is nil if the row is newer than all
// rows of the store: then there is none, and nothing is read.
func (w *JoinWindow) locate(key []byte, timestamp int64, sequence uint32) (*cell[[]byte], bool, error) {
	w.row = append(w.row[:0], key...)
	w.row = binary.BigEndian.AppendUint64(w.row, uint64(timestamp))
	w.row = binary.BigEndian.AppendUint32(w.row, sequence)
	visible, err := w.core.locateToWrite(w.row, timestamp)
	if err != nil || !visible || timestamp > w.core.base.clock.now {
		return nil, visible, err
	}
	cell, err := w.core.find()
	return cell, true, err
}

// vacant returns the cell after the last row of a key and time, whose sequence numbers begin with 0. (A changelog that
// Kafka Streams wrote may have gaps, which are filled.)
func (w *JoinWindow) vacant(key []byte, timestamp int64) (cell *cell[[]byte], err error) {
	taken := func(sequence int) bool {
		if err == nil {
			cell, _, err = w.locate(key, timestamp, uint32(sequence))
		}
		return err == nil && cell.entry.has
	}
	low, high := 1, 1
	for taken(high) {
		low, high = high+1, 2*high
	}
	at := low + sort.Search(high-low, func(i int) bool { return !taken(low + i) })
	taken(at)
	return cell, err
}

// Fetch calls visit for the records of a key from one time to another, both included, by time and then in the order in
// which they were added. It reads them before the first call. The value is valid during the call.
func (w *JoinWindow) Fetch(key []byte, from, to int64, visit func(value []byte, timestamp int64) error) (found bool, err error) {
	w.found, w.bytes = w.found[:0], w.bytes[:0]
	s := w.core.reading().scanner
	err = s.windowsOf(key, time.UnixMilli(from), time.UnixMilli(to), func(m *merged) error {
		w.bytes = append(w.bytes, m.value...)
		w.found = append(w.found, instant{s.space.layout.time(s.space.physical(m.key)), len(w.bytes)})
		return nil
	})
	begin := 0
	for _, r := range w.found {
		if err != nil {
			break
		}
		err = visit(w.bytes[begin:r.end:r.end], r.timestamp)
		begin = r.end
	}
	return len(w.found) > 0, err
}
