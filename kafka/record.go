package kafka

import (
	"fmt"

	"github.com/rio-streams/rio/internal/murmur2"
)

// A Record is an entry of a partition. Records returned by a Fetcher alias the buffer of the answer they arrived in:
// they stay valid, must not be written to, and keep the whole buffer alive.
type Record struct {
	Offset    int64 // set by the broker; ignored by Producer.Send
	Timestamp int64 // milliseconds since the Unix epoch
	Key       []byte
	Value     []byte // nil is Kafka's null: a tombstone in a compacted topic; not the same as an empty value
	Headers   []Header
}

// A Header is a key-value pair in a record's metadata. Several headers of a record may have the same key.
type Header struct {
	Key   string
	Value []byte
}

// A TopicPartition identifies a partition of a topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String returns topic/partition, the form that all errors use.
func (tp TopicPartition) String() string {
	return fmt.Sprintf("%s/%d", tp.Topic, tp.Partition)
}

// A CommittedOffset is the position of a group in a partition: the offset of the next record to read, and metadata that
// the broker stores with it (by default, at most 4096 bytes).
type CommittedOffset struct {
	Offset   int64
	Metadata string
}

// A GroupRef identifies a group and, if its Generation is not negative, the member that commits offsets; the broker
// refuses a member of an old generation. A reference without a member (empty MemberID) commits as an administrator,
// which the broker refuses while the group has members.
type GroupRef struct {
	Group      string
	MemberID   string
	InstanceID string // set for static members only
	Generation int32  // -1 without a member; with an empty MemberID, 0 also means -1
}

// generation returns the generation to send: the member's, or -1.
func (r GroupRef) generation() int32 {
	if r.MemberID == "" && r.Generation == 0 {
		return -1
	}
	return r.Generation
}

// instance returns the instance id in protocol form: null if there is none.
func (r GroupRef) instance() *string {
	if r.InstanceID == "" {
		return nil
	}
	return &r.InstanceID
}

// Partition returns the partition of key among n, as the Java clients and Rio compute it: murmur2(key) with its sign
// bit cleared, modulo n. n must be positive.
func Partition(key []byte, n int32) int32 {
	return murmur2.Partition(key, n)
}
