package processor

import (
	"fmt"
	"time"
)

// Record is one record on its way through a topology.
//
// A record without a value is a tombstone: it says that its key is gone. Operators that look at a value let tombstones
// pass unseen; those that need the value (KeyBy, Aggregate, Join) drop them and count them. A record without a key
// cannot belong to anybody's state, so the stateful operators drop and count it too; KeyBy gives it a key.
type Record[K, V any] struct {
	Key   K
	Value V

	// Timestamp is the event time in milliseconds since the Unix epoch, the unit of the log.
	Timestamp int64

	// Headers are those of the source record; derived records inherit them. They are shared: copy before changing.
	Headers []Header

	// NoKey is set when the record's key is null; Key is then its zero value.
	NoKey bool

	// Tombstone is set when the record's value is null; Value is then its zero value.
	Tombstone bool
}

// Header is a name and bytes that travel beside a record.
type Header struct {
	Key   string
	Value []byte
}

// Time returns the event time, in UTC.
func (r Record[K, V]) Time() time.Time { return time.UnixMilli(r.Timestamp).UTC() }

// Origin says where the record that is being processed came from. Behind a KeyBy that is not the record of the repartition
// topic, but the one of the source topic that it was made from.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
}

// String returns "localizacao-veiculos/3 at 1024".
func (o Origin) String() string { return fmt.Sprintf("%s/%d at %d", o.Topic, o.Partition, o.Offset) }
