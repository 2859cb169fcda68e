package store

import (
	"encoding/binary"
	"fmt"
)

// kind is the first byte of a key.
type kind byte

// The kinds of entries. Keys of a partition continue with the number of its topic and its own number.
const (
	kindVersion     kind = 'v'
	kindCluster     kind = 'c'
	kindCounters    kind = 'n'
	kindTopic       kind = 't' // name
	kindPartition   kind = 'p' // partition
	kindBatch       kind = 'b' // partition, last offset
	kindSegment     kind = 'i' // partition, base offset
	kindAborted     kind = 'a' // partition, offset of the marker
	kindProducer    kind = 's' // partition, producer id
	kindTransaction kind = 'x' // transactional id
	kindGroup       kind = 'g' // name
	kindOffset      kind = 'o' // group, topic, partition
	kindPending     kind = 'u' // group, producer id, topic, partition
)

// partitionKinds are the kinds of entries that belong to a partition and are deleted with it.
var partitionKinds = []kind{kindPartition, kindBatch, kindSegment, kindAborted, kindProducer}

// PartitionID identifies a partition in keys. Topic is a number that is never reused, so the remains of a deleted topic
// cannot be confused with a new topic of the same name.
type PartitionID struct {
	Topic     uint32
	Partition int32
}

func (id PartitionID) String() string { return fmt.Sprintf("%d/%d", id.Topic, id.Partition) }

func nameKey(k kind, name string) []byte { return append([]byte{byte(k)}, name...) }

func partitionKey(k kind, id PartitionID) []byte { return appendPartition(nil, k, id) }

func appendPartition(b []byte, k kind, id PartitionID) []byte {
	b = append(b, byte(k))
	b = binary.BigEndian.AppendUint32(b, id.Topic)
	return binary.BigEndian.AppendUint32(b, uint32(id.Partition))
}

// offsetKey returns the key of an entry for an offset of a partition, or for another non-negative number.
func offsetKey(k kind, id PartitionID, offset int64) []byte {
	return appendOffsetKey(nil, k, id, offset)
}

func appendOffsetKey(b []byte, k kind, id PartitionID, offset int64) []byte {
	return binary.BigEndian.AppendUint64(appendPartition(b, k, id), uint64(offset))
}

const offsetKeySize = 1 + 4 + 4 + 8

// keyOffset returns the offset at the end of a key.
func keyOffset(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[len(key)-8:])) }

// keyPartition returns the partition in a key.
func keyPartition(key []byte) PartitionID {
	return PartitionID{binary.BigEndian.Uint32(key[1:]), int32(binary.BigEndian.Uint32(key[5:]))}
}

// groupKey returns the prefix of all keys of a group's offsets.
func groupKey(k kind, group string) []byte { return appendString([]byte{byte(k)}, group) }

func committedKey(group, topic string, partition int32) []byte {
	return appendInt32(appendString(groupKey(kindOffset, group), topic), partition)
}

func pendingKey(group string, producer int64, topic string, partition int32) []byte {
	return appendInt32(appendString(appendInt64(groupKey(kindPending, group), producer), topic), partition)
}

// after returns the smallest key that is greater than all keys with the prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil // no key is greater
}
