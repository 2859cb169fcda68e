package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/rio-streams/rio/codec"
)

// BufferDefinition declares a store of changes of a table that are held back, one for each key. Its bytes are those that
// Kafka Streams writes to the changelog of a suppression, in its version 3. Numbers are big endian; a length of -1 stands
// for null, and -2 for the same bytes as those before:
//
//	key    | key … |
//	value  | timestamp, 8 bytes | offset, 8 | topic: length, 4, text | partition, 4 | number of headers, 4 |
//	       ( name: length, 4, text | value: length, 4, bytes )* |
//	       value that left last: length, 4, bytes | old value: length, 4, bytes | new value: length, 4, bytes |
//	       time in the buffer, 8 |
type BufferDefinition struct {
	rows                 *KeyValueDefinition[[]byte, []byte]
	description, written string
}

// NewBuffer declares a store of changes that are held back.
func NewBuffer[K, V any](name string, key codec.Codec[K], value codec.Codec[V]) *BufferDefinition {
	d := &BufferDefinition{rows: &KeyValueDefinition[[]byte, []byte]{name: name}}
	if key != nil && value != nil { // otherwise Open reports it
		d.rows.keys, d.rows.values = codec.Bytes, codec.Bytes
		d.description = fmt.Sprintf("buffer %s → %s", key, value)
		d.written = fmt.Sprintf("buffer %s → %s", codec.Format(key), codec.Format(value))
	}
	return d
}

// Name implements Definition.
func (d *BufferDefinition) Name() string { return d.rows.name }

// Retention implements Definition.
func (d *BufferDefinition) Retention() time.Duration { return 0 }

// String implements Definition.
func (d *BufferDefinition) String() string { return d.description }

// Format implements Definition.
func (d *BufferDefinition) Format() string { return d.written }

// ChangelogHeader implements HasChangelogHeader: it tells Kafka Streams the version of the format.
func (d *BufferDefinition) ChangelogHeader() (name string, value []byte) { return "v", []byte{3} }

// HasChangelogHeader is implemented by definitions of stores whose changelog records, apart from tombstones, have a
// header.
type HasChangelogHeader interface {
	ChangelogHeader() (name string, value []byte)
}

// Encoded implements Definition.
func (d *BufferDefinition) Encoded(r Reader) iter.Seq2[EncodedRow, error] {
	return encoded(r, d, d.rows)
}

// Open implements Definition.
func (d *BufferDefinition) Open(db DB, prefix []byte, opts Options) (Store, error) {
	if err := d.rows.check(); err != nil {
		return nil, err
	}
	return newBuffer(d.rows.open(db, prefix, opts)), nil
}

// In returns the handle of the store that a task opened, like KeyValueDefinition.In.
func (d *BufferDefinition) In(s Stores) *Buffer {
	store, err := s.Store(d.Name())
	if err == nil {
		if b, ok := store.(*Buffer); ok {
			return b
		}
		err = fmt.Errorf("state: store %q is not a %s: another declaration has the same name", d.Name(), d)
	}
	s.Fail(err)
	return newBuffer(d.rows.open(NewMemory(), nil, Options{}))
}

// Buffer is a store of changes that are held back, in the order of their times. Keys and values are encoded. Only the
// task's goroutine may use it.
type Buffer struct {
	*base
	core *core[[]byte, []byte]

	// The order of the changes and their size, kept in memory. order is nil if they are not known.
	order  *index // time and key
	length int
	size   int64

	row []byte
}

// Buffered is a change that is held back. In values, nil stands for none.
type Buffered struct {
	Time      int64  // when it is due, in ms
	Prior     []byte // the value that left last, or that the key had before the first change
	Old, New  []byte
	Timestamp int64 // of the change

	// The record that caused the change.
	Topic     string
	Partition int32
	Offset    int64
	Headers   []BufferedHeader
}

// BufferedHeader is a header of a record. A nil value is null.
type BufferedHeader struct {
	Key   string
	Value []byte
}

func newBuffer(c *core[[]byte, []byte]) *Buffer { return &Buffer{base: &c.base, core: c} }

// Undo implements Store.
func (b *Buffer) Undo() {
	b.order = nil
	b.base.Undo()
}

// UndoTo implements Store.
func (b *Buffer) UndoTo(mark int) {
	b.order = nil
	b.base.UndoTo(mark)
}

// Len returns the number of changes, and their size as Kafka Streams estimates it: the bytes of keys, values and
// headers, and those of the other fields.
func (b *Buffer) Len() (changes int, size int64, err error) {
	err = b.load()
	return b.length, b.size, err
}

// Put adds a change. A change of a key that is in the buffer takes the place of the one there: it keeps that one's Time
// and Prior.
func (b *Buffer) Put(key []byte, c *Buffered) error {
	if err := b.load(); err != nil {
		return err
	}
	cell, err := b.locate(key, c.Timestamp)
	if err != nil {
		return err
	}
	c.Prior = c.Old
	if cell.entry.has {
		before, err := b.decode(cell.entry.sealed)
		if err != nil {
			return err
		}
		c.Time, c.Prior = before.Time, before.Prior
		b.size -= sizeOf(key, before)
	} else {
		b.length++
		b.order.add(string(orderedKey(c.Time, key)))
	}
	b.size += sizeOf(key, c)
	b.row = appendBuffered(b.row[:0], c)
	now, err := b.core.seal(b.row, c.Timestamp)
	if err == nil {
		b.core.write(cell, nil, now)
	}
	return err
}

// Prior returns the value of a key in the buffer that left last, and whether the key is there.
func (b *Buffer) Prior(key []byte) (prior []byte, found bool, err error) {
	cell, err := b.locate(key, 0)
	if err != nil || !cell.entry.has {
		return nil, false, err
	}
	c, err := b.decode(cell.entry.sealed)
	return c.Prior, err == nil, err
}

// First returns when the first change is due, and whether there is one.
func (b *Buffer) First() (time int64, found bool, err error) {
	if err := b.load(); err != nil {
		return 0, false, err
	}
	first, found := b.order.first()
	if !found {
		return 0, false, nil
	}
	return readTime([]byte(first[:timeSize])), true, nil
}

// TakeFirst removes the first change and calls visit for it. There must be one.
func (b *Buffer) TakeFirst(visit func(key []byte, c *Buffered) error) error {
	first, _ := b.order.first()
	key := []byte(first[timeSize:])
	cell, err := b.locate(key, 0)
	if err != nil {
		return err
	}
	c, err := b.decode(cell.entry.sealed)
	if err != nil {
		return err
	}
	b.order.remove(first)
	b.length--
	b.size -= sizeOf(key, c)
	b.core.write(cell, nil, content{timestamp: c.Timestamp})
	return visit(key, c)
}

// locate returns the cell of a key.
func (b *Buffer) locate(key []byte, timestamp int64) (*cell[[]byte], error) {
	if _, err := b.core.locateToWrite(key, timestamp); err != nil {
		return nil, err
	}
	return b.core.find()
}

// load reads the order of the changes, unless it is known.
func (b *Buffer) load() error {
	if b.order != nil {
		return nil
	}
	order, length, size := newIndex(), 0, int64(0)
	for row, err := range b.core.reading().scan(nil, nil) {
		if err != nil {
			return err
		}
		c, err := b.decode(row.Value)
		if err != nil {
			return err
		}
		order.add(string(orderedKey(c.Time, row.Key)))
		length++
		size += sizeOf(row.Key, c)
	}
	b.order, b.length, b.size = order, length, size
	return nil
}

// orderedKey returns a key with its time in front.
func orderedKey(time int64, key []byte) []byte {
	return append(appendTime(make([]byte, 0, timeSize+len(key)), time), key...)
}

// sizeOf returns the size of a change by the formula of Kafka Streams.
func sizeOf(key []byte, c *Buffered) int64 {
	const times, position = 8 + 8, 8 + 4
	size := times + position + len(key) + len(c.Topic) + len(c.Prior) + len(c.New)
	if !bytes.Equal(c.Prior, c.Old) {
		size += len(c.Old)
	}
	for _, h := range c.Headers {
		size += len(h.Key) + len(h.Value)
	}
	return int64(size)
}

// Lengths that are none.
const (
	lengthNull   = -1
	lengthRepeat = -2
)

func appendBuffered(dst []byte, c *Buffered) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.Timestamp))
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.Offset))
	dst = appendSized(dst, []byte(c.Topic))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Partition))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(c.Headers)))
	for _, h := range c.Headers {
		dst = appendSized(appendSized(dst, []byte(h.Key)), h.Value)
	}
	dst = appendSized(dst, c.Prior)
	if c.Old != nil && c.Prior != nil && bytes.Equal(c.Old, c.Prior) {
		dst = appendLength(dst, lengthRepeat)
	} else {
		dst = appendSized(dst, c.Old)
	}
	dst = appendSized(dst, c.New)
	return binary.BigEndian.AppendUint64(dst, uint64(c.Time))
}

func appendLength(dst []byte, n int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(n)) }

func appendSized(dst, data []byte) []byte {
	if data == nil {
		return appendLength(dst, lengthNull)
	}
	return append(appendLength(dst, int32(len(data))), data...)
}

// decode decodes a change. Its values share the memory of data.
func (b *Buffer) decode(data []byte) (*Buffered, error) {
	r := &bufferReader{data: data}
	c := &Buffered{Timestamp: r.long(), Offset: r.long(), Topic: string(r.sized(nil)), Partition: r.int()}
	for range r.int() {
		if r.failed {
			break
		}
		c.Headers = append(c.Headers, BufferedHeader{string(r.sized(nil)), r.sized(nil)})
	}
	c.Prior = r.sized(nil)
	c.Old = r.sized(c.Prior)
	c.New = r.sized(nil)
	c.Time = r.long()
	if r.failed || len(r.data) > 0 {
		return nil, b.storeError("read", errors.Join(errDamagedChange, ErrDamaged))
	}
	return c, nil
}

var errDamagedChange = errors.New("its bytes are not those of a change that is held back, in version 3 of the format")

// bufferReader reads the fields of a change.
type bufferReader struct {
	data   []byte
	failed bool
}

func (r *bufferReader) take(n int) []byte {
	if r.failed || n < 0 || n > len(r.data) {
		r.failed = true
		return make([]byte, timeSize)
	}
	taken := r.data[:n:n]
	r.data = r.data[n:]
	return taken
}

func (r *bufferReader) long() int64 { return int64(binary.BigEndian.Uint64(r.take(timeSize))) }

func (r *bufferReader) int() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }

// sized reads bytes with a length; before is what is repeated.
func (r *bufferReader) sized(before []byte) []byte {
	switch n := r.int(); n {
	case lengthNull:
		return nil
	case lengthRepeat:
		return before
	default:
		return r.take(int(n))
	}
}
