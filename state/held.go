package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"sort"
	"time"

	"github.com/rio-streams/rio/codec"
)

// HeldDefinition declares a store of records that wait until they are passed on in the order of their times. Its bytes
// are those of Kafka Streams' buffer of a stream-table join with a grace period:
//
//	key | 0 | time, 8 bytes BE, ms | key … | sequence number, 4 bytes BE |
type HeldDefinition struct {
	rows                 *KeyValueDefinition[[]byte, []byte]
	description, written string
}

// NewHeld declares a store of waiting records.
func NewHeld[K, V any](name string, key codec.Codec[K], value codec.Codec[V]) *HeldDefinition {
	d := &HeldDefinition{rows: &KeyValueDefinition[[]byte, []byte]{name: name}}
	if key != nil && value != nil { // otherwise Open reports it
		d.rows.keys, d.rows.values = codec.Bytes, codec.Bytes
		d.description = fmt.Sprintf("held %s → %s", key, value)
		d.written = fmt.Sprintf("held %s → %s", codec.Format(key), codec.Format(value))
	}
	return d
}

// Name implements Definition.
func (d *HeldDefinition) Name() string { return d.rows.name }

// Retention implements Definition.
func (d *HeldDefinition) Retention() time.Duration { return 0 }

// String implements Definition.
func (d *HeldDefinition) String() string { return d.description }

// Format implements Definition.
func (d *HeldDefinition) Format() string { return d.written }

// Encoded implements Definition.
func (d *HeldDefinition) Encoded(r Reader) iter.Seq2[EncodedRow, error] { return encoded(r, d, d.rows) }

// Open implements Definition.
func (d *HeldDefinition) Open(db DB, prefix []byte, opts Options) (Store, error) {
	if err := d.rows.check(); err != nil {
		return nil, err
	}
	return newHeld(d.rows.open(db, prefix, opts)), nil
}

// In returns the handle of the store that a task opened, like KeyValueDefinition.In.
func (d *HeldDefinition) In(s Stores) *Held {
	store, err := s.Store(d.Name())
	if err == nil {
		if h, ok := store.(*Held); ok {
			return h
		}
		err = fmt.Errorf("state: store %q is not a %s: another declaration has the same name", d.Name(), d)
	}
	s.Fail(err)
	return newHeld(d.rows.open(NewMemory(), nil, Options{}))
}

// Held is a store of waiting records. Keys and values are encoded. Only the task's goroutine may use it.
type Held struct {
	*base
	core     *core[[]byte, []byte]
	earliest int64 // no record is older; never if that is unknown
	row      []byte
}

func newHeld(c *core[[]byte, []byte]) *Held {
	return &Held{base: &c.base, core: c, earliest: never}
}

// Undo implements Store.
func (h *Held) Undo() {
	h.earliest = never
	h.base.Undo()
}

// UndoTo implements Store.
func (h *Held) UndoTo(mark int) {
	h.earliest = never
	h.base.UndoTo(mark)
}

const heldSize = 1 + timeSize + sequenceSize // without the key

// Add adds a record. newest reports whether it is newer than all others that the store has had; then nothing is read.
func (h *Held) Add(key, value []byte, timestamp int64, newest bool) error {
	sequence := 0
	if !newest {
		var err error
		if sequence, err = h.vacant(key, timestamp); err != nil {
			return err
		}
	}
	if err := h.locate(key, timestamp, sequence); err != nil {
		return err
	}
	c, err := h.core.seal(value, timestamp)
	if err != nil {
		return err
	}
	h.earliest = min(h.earliest, timestamp)
	return h.core.put(h.row, nil, c)
}

// locate makes the row of a record that of the core.
func (h *Held) locate(key []byte, timestamp int64, sequence int) error {
	h.row = append(h.row[:0], 0)
	h.row = binary.BigEndian.AppendUint64(h.row, uint64(timestamp))
	h.row = binary.BigEndian.AppendUint32(append(h.row, key...), uint32(sequence))
	_, err := h.core.locateToWrite(h.row, timestamp)
	return err
}

// vacant returns the first sequence number after those of the records with a key and time. Records of one time leave
// together, so these numbers begin with 0, except in a changelog that Kafka Streams wrote.
func (h *Held) vacant(key []byte, timestamp int64) (sequence int, err error) {
	taken := func(sequence int) bool {
		if err == nil {
			err = h.locate(key, timestamp, sequence)
		}
		if err != nil {
			return false
		}
		c, findErr := h.core.find()
		err = findErr
		return err == nil && c.entry.has
	}
	low, high := 0, 0
	for taken(high) {
		low, high = high+1, 2*high+1
	}
	return low + sort.Search(high-low, func(i int) bool { return !taken(low + i) }), err
}

// TakeUntil removes the records up to a time, and calls visit for each: by time, then by key, then in the order in which
// they were added. Key and value are valid during the call.
func (h *Held) TakeUntil(last int64, visit func(key, value []byte, timestamp int64) error) error {
	if h.earliest > last {
		return nil
	}
	taken, earliest := []Row[[]byte, []byte](nil), int64(math.MaxInt64)
	for row, err := range h.core.reading().scan(nil, nil) {
		if err != nil {
			return err
		}
		if len(row.Key) < heldSize {
			return h.storeError("read", errDamagedHeld)
		}
		if at := timeOfHeld(row.Key); at > last {
			earliest = at
			break
		}
		taken = append(taken, row)
	}
	for _, row := range taken {
		at := timeOfHeld(row.Key)
		if err := visit(row.Key[1+timeSize:len(row.Key)-sequenceSize], row.Value, at); err != nil {
			return err
		}
		if err := h.core.delete(row.Key, at); err != nil {
			return err
		}
	}
	h.earliest = earliest
	return nil
}

func timeOfHeld(row []byte) int64 { return int64(binary.BigEndian.Uint64(row[1:])) }

var errDamagedHeld = errors.Join(errors.New("its bytes are not those of a waiting record"), ErrDamaged)
