package kafka

import (
	"fmt"

	"github.com/rio-streams/rio/internal/murmur2"
)

// A Record is one entry of a partition. Records that a Fetcher returns alias the buffer of the answer they came in:
// they stay valid as long as someone refers to them, must not be written to, and one kept record keeps its whole
// buffer alive.
type Record struct {
	Offset    int64 // set by the broker; ignored by Producer.Send
	Timestamp int64 // milliseconds since the Unix epoch
	Key       []byte
	Value     []byte // nil is Kafka's null: a tombstone in a compacted topic; it differs from an empty value
	Headers   []Header
}

// A Header is a named piece of metadata of a record. Several headers of one record may bear the same name.
type Header struct {
	Key   string
	Value []byte
}

// A TopicPartition names one partition of one topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String returns topic/partition, the form that all errors use.
func (tp TopicPartition) String() string {
	return fmt.Sprintf("%s/%d", tp.Topic, tp.Partition)
}

// A CommittedOffset is the position a group has reached in a partition: the offset of the next record to read, and a
// note of the committer's that the broker keeps beside it (4096 bytes at most by default).
type CommittedOffset struct {
	Offset   int64
	Metadata string
}

// A GroupRef names a group and, if its Generation is not negative, the member of it on whose behalf offsets are
// committed; the broker refuses a member of a generation that is over. A reference that names no member (empty
// MemberID) commits as an administrator does, and the broker refuses it while the group has members.
type GroupRef struct {
	Group      string
	MemberID   string
	InstanceID string // of a static member; empty for all others
	Generation int32  // -1 without a member; with an empty MemberID, 0 means -1 too
}

// generation returns the generation to send: that of a member, or -1.
func (r GroupRef) generation() int32 {
	if r.MemberID == "" && r.Generation == 0 {
		return -1
	}
	return r.Generation
}

// instance returns the instance id as the protocol wants it, null when there is none.
func (r GroupRef) instance() *string {
	if r.InstanceID == "" {
		return nil
	}
	return &r.InstanceID
}

// Partition returns the partition, among n, in which the Java clients and Rio place key: murmur2(key) with its sign bit
// cleared, modulo n. n must be positive.
func Partition(key []byte, n int32) int32 {
	return murmur2.Partition(key, n)
}
