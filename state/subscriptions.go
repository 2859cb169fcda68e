package state

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"github.com/rio-streams/rio/codec"
)

// SubscriptionsDefinition declares the store of a foreign-key join that knows which rows on the left refer to a row on
// the right. A key is, as in Kafka Streams,
//
//	| length of the foreign key, 4 bytes BE | foreign key … | primary key … |
//
// so the rows of a foreign key are adjacent.
type SubscriptionsDefinition struct {
	rows                 *KeyValueDefinition[[]byte, []byte]
	description, written string
}

// NewSubscriptions declares a store of subscriptions, given the codecs of the foreign keys and of the primary keys.
func NewSubscriptions[L, K any](name string, foreign codec.Codec[L], primary codec.Codec[K]) *SubscriptionsDefinition {
	d := &SubscriptionsDefinition{rows: &KeyValueDefinition[[]byte, []byte]{name: name}}
	if foreign != nil && primary != nil { // otherwise Open reports it
		d.rows.keys, d.rows.values = codec.Bytes, codec.Bytes
		d.description = fmt.Sprintf("subscriptions of %s to %s", primary, foreign)
		d.written = fmt.Sprintf("subscriptions of %s to %s", codec.Format(primary), codec.Format(foreign))
	}
	return d
}

// Name implements Definition.
func (d *SubscriptionsDefinition) Name() string { return d.rows.name }

// Retention implements Definition.
func (d *SubscriptionsDefinition) Retention() time.Duration { return 0 }

// String implements Definition.
func (d *SubscriptionsDefinition) String() string { return d.description }

// Format implements Definition.
func (d *SubscriptionsDefinition) Format() string { return d.written }

// Open implements Definition.
func (d *SubscriptionsDefinition) Open(db DB, prefix []byte, opts Options) (Store, error) {
	return d.rows.Open(db, prefix, opts)
}

// Encoded implements Definition.
func (d *SubscriptionsDefinition) Encoded(r Reader) iter.Seq2[EncodedRow, error] {
	return encoded(r, d, d.rows)
}

// In returns the handle of the store that a task opened, like KeyValueDefinition.In.
func (d *SubscriptionsDefinition) In(s Stores) *Subscriptions {
	return &Subscriptions{core: d.rows.in(s)}
}

// Subscriptions is a task's handle of a store of subscriptions. Keys and values are encoded. Only the task's goroutine
// may use it.
type Subscriptions struct {
	core *core[[]byte, []byte]
	key  []byte
}

// locate writes the key of a subscription, or the beginning of all keys of a foreign key, into the buffer.
func (s *Subscriptions) locate(foreign, primary []byte) []byte {
	s.key = binary.BigEndian.AppendUint32(s.key[:0], uint32(len(foreign)))
	s.key = append(append(s.key, foreign...), primary...)
	return s.key
}

// Put sets the subscription of a primary key to a foreign key.
func (s *Subscriptions) Put(foreign, primary, subscription []byte, timestamp int64) error {
	return s.core.set(s.locate(foreign, primary), subscription, timestamp)
}

// Delete removes the subscription of a primary key to a foreign key.
func (s *Subscriptions) Delete(foreign, primary []byte, timestamp int64) error {
	return s.core.delete(s.locate(foreign, primary), timestamp)
}

// Each calls visit for the subscriptions to a foreign key, by primary key. The arguments are valid during the call,
// which must not change the store.
func (s *Subscriptions) Each(foreign []byte, visit func(primary, subscription []byte) error) error {
	scanner := s.core.reading().scanner
	lower := append(append([]byte{}, scanner.space.prefix...), s.locate(foreign, nil)...)
	m := scanner.merge(lower, after(lower))
	defer m.close()
	for m.next(nil) {
		if err := visit(m.key[len(lower):], m.value); err != nil {
			return err
		}
	}
	return m.err
}
