package processor

import (
	"fmt"
	"time"
)

// Record is a record that is being processed by a topology.
//
// A record without a value is a tombstone: its key was deleted. Operators that only use the value pass tombstones on;
// those that need one (KeyBy, Aggregate, Join) drop and count them. Stateful operators also drop and count records
// without a key; KeyBy gives them one.
type Record[K, V any] struct {
	Key   K
	Value V

	// Timestamp is the event time in milliseconds since the Unix epoch.
	Timestamp int64

	// Headers are those of the source record; derived records inherit them. They are shared: copy before modifying.
	Headers []Header

	// NoKey is set when the record's key is null; Key is then its zero value.
	NoKey bool

	// Tombstone is set when the record's value is null; Value is then its zero value.
	Tombstone bool
}

// Header is a key-value pair in a record's metadata.
type Header struct {
	Key   string
	Value []byte
}

// Time returns the event time, in UTC.
func (r Record[K, V]) Time() time.Time { return time.UnixMilli(r.Timestamp).UTC() }

// Origin says where the record that is being processed came from. After a KeyBy it is not the record of the repartition
// topic, but the source record that it was made from.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
}

// String returns "localizacao-veiculos/3 at 1024".
func (o Origin) String() string { return fmt.Sprintf("%s/%d at %d", o.Topic, o.Partition, o.Offset) }
