package processor

import "time"

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

// Origin says where the record that is being processed came from.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
}
