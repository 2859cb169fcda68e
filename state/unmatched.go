package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/rio-streams/rio/codec"
)

// UnmatchedDefinition declares a store of the records of a left or outer join that have not met a partner yet. Its
// bytes are those of Kafka Streams:
//
//	key    | time, 8 bytes BE, ms | side: 1 left, 0 right | key … |
//	value  | 1 | count, 4 bytes BE | ( length of side and value, 4 bytes BE | side | value … )* |
type UnmatchedDefinition struct {
	rows                 *KeyValueDefinition[[]byte, []byte]
	description, written string
}

// NewUnmatched declares a store of unmatched records of both sides of a join.
func NewUnmatched[K, V, W any](name string, key codec.Codec[K], left codec.Codec[V], right codec.Codec[W]) *UnmatchedDefinition {
	d := &UnmatchedDefinition{rows: &KeyValueDefinition[[]byte, []byte]{name: name}}
	if key != nil && left != nil && right != nil { // otherwise Open reports it
		d.rows.keys, d.rows.values = codec.Bytes, codec.Bytes
		d.description = fmt.Sprintf("unmatched %s → %s or %s", key, left, right)
		d.written = fmt.Sprintf("unmatched %s → %s or %s", codec.Format(key), codec.Format(left), codec.Format(right))
	}
	return d
}

// Name implements Definition.
func (d *UnmatchedDefinition) Name() string { return d.rows.name }

// Retention implements Definition.
func (d *UnmatchedDefinition) Retention() time.Duration { return 0 }

// String implements Definition.
func (d *UnmatchedDefinition) String() string { return d.description }

// Format implements Definition.
func (d *UnmatchedDefinition) Format() string { return d.written }

// Encoded implements Definition.
func (d *UnmatchedDefinition) Encoded(r Reader) iter.Seq2[EncodedRow, error] {
	return encoded(r, d, d.rows)
}

// Open implements Definition.
func (d *UnmatchedDefinition) Open(db DB, prefix []byte, opts Options) (Store, error) {
	if err := d.rows.check(); err != nil {
		return nil, err
	}
	return newUnmatched(d.rows.open(db, prefix, opts)), nil
}

// In returns the handle of the store that a task opened, like KeyValueDefinition.In.
func (d *UnmatchedDefinition) In(s Stores) *Unmatched {
	store, err := s.Store(d.Name())
	if err == nil {
		if u, ok := store.(*Unmatched); ok {
			return u
		}
		err = fmt.Errorf("state: store %q is not a %s: another declaration has the same name", d.Name(), d)
	}
	s.Fail(err)
	return newUnmatched(d.rows.open(NewMemory(), nil, Options{}))
}

// Unmatched is a store of unmatched records. Keys and values are encoded. Only the task's goroutine may use it.
type Unmatched struct {
	*base
	core      *core[[]byte, []byte]
	earliest  int64 // no record is older; never if that is unknown
	key, list []byte
}

func newUnmatched(c *core[[]byte, []byte]) *Unmatched {
	return &Unmatched{base: &c.base, core: c, earliest: never}
}

// Undo implements Store.
func (u *Unmatched) Undo() {
	u.earliest = never
	u.base.Undo()
}

// UndoTo implements Store.
func (u *Unmatched) UndoTo(mark int) {
	u.earliest = never
	u.base.UndoTo(mark)
}

const (
	variableSize = 1 // Kafka's mark of a list whose elements have their lengths
	listHeader   = 1 + 4
	recordHeader = 4 + 1
	sideSize     = 1
)

func sideOf(left bool) byte {
	if left {
		return 1
	}
	return 0
}

// locate locates the row of a key.
func (u *Unmatched) locate(left bool, key []byte, timestamp int64) (*cell[[]byte], error) {
	u.key = binary.BigEndian.AppendUint64(u.key[:0], uint64(timestamp))
	u.key = append(append(u.key, sideOf(left)), key...)
	if _, err := u.core.locateToWrite(u.key, timestamp); err != nil {
		return nil, err
	}
	return u.core.find()
}

// Add adds a record.
func (u *Unmatched) Add(left bool, key, value []byte, timestamp int64) error {
	c, err := u.locate(left, key, timestamp)
	if err != nil {
		return err
	}
	u.list = append(u.list[:0], variableSize, 0, 0, 0, 0)
	if c.entry.has {
		if len(c.entry.sealed) < listHeader {
			return u.damaged()
		}
		u.list = append(u.list[:0], c.entry.sealed...)
	}
	count := u.list[1:listHeader]
	binary.BigEndian.PutUint32(count, binary.BigEndian.Uint32(count)+1)
	u.list = binary.BigEndian.AppendUint32(u.list, uint32(sideSize+len(value)))
	u.list = append(append(u.list, sideOf(left)), value...)
	sealed, err := u.core.seal(u.list, timestamp)
	if err != nil {
		return err
	}
	u.core.write(c, nil, sealed)
	u.earliest = min(u.earliest, timestamp)
	return nil
}

// Remove removes the records of a key and time, which have met a partner.
func (u *Unmatched) Remove(left bool, key []byte, timestamp int64) error {
	if timestamp < u.earliest {
		return nil
	}
	c, err := u.locate(left, key, timestamp)
	if err != nil || !c.entry.has {
		return err
	}
	u.core.write(c, nil, content{timestamp: timestamp})
	return nil
}

// TakeBefore removes the records on the left that are older than one time and those on the right that are older than
// another, and calls visit for each: by time, the right side first, then by key. Key and value are valid during the
// call.
func (u *Unmatched) TakeBefore(left, right int64, visit func(left bool, key, value []byte, timestamp int64) error) error {
	if u.earliest >= max(left, right) {
		return nil
	}
	taken, earliest := []Row[[]byte, []byte](nil), int64(math.MaxInt64)
	for row, err := range u.core.reading().scan(nil, nil) {
		if err != nil {
			return err
		}
		if len(row.Key) < timeSize+sideSize {
			return u.damaged()
		}
		at, bound := int64(binary.BigEndian.Uint64(row.Key)), right
		if row.Key[timeSize] != 0 {
			bound = left
		}
		if at < bound {
			taken = append(taken, row)
		} else {
			earliest = min(earliest, at)
		}
		if at >= max(left, right) {
			break
		}
	}
	for _, row := range taken {
		at, onLeft, key := int64(binary.BigEndian.Uint64(row.Key)), row.Key[timeSize] != 0, row.Key[timeSize+sideSize:]
		if err := u.each(row.Value, func(value []byte) error { return visit(onLeft, key, value, at) }); err != nil {
			return err
		}
		if err := u.Remove(onLeft, key, at); err != nil {
			return err
		}
	}
	u.earliest = earliest
	return nil
}

// each calls visit for the values of a list.
func (u *Unmatched) each(list []byte, visit func(value []byte) error) error {
	if len(list) < listHeader || list[0] != variableSize {
		return u.damaged()
	}
	count, list := binary.BigEndian.Uint32(list[1:]), list[listHeader:]
	for range count {
		if len(list) < recordHeader {
			return u.damaged()
		}
		size := int(binary.BigEndian.Uint32(list))
		if size < sideSize || size > len(list)-4 {
			return u.damaged()
		}
		if err := visit(list[recordHeader : 4+size]); err != nil {
			return err
		}
		list = list[4+size:]
	}
	return nil
}

var errDamagedRecords = errors.New("its bytes are not those of unmatched records")

func (u *Unmatched) damaged() error {
	return u.storeError("read", errors.Join(errDamagedRecords, ErrDamaged))
}
