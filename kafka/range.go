package kafka

import (
	"cmp"
	"slices"
)

// NewRangeAssignor returns an assignor that divides the partitions of each topic separately: the members that subscribe to
// it, in order, get ranges of partitions, and the first ones get one more if they do not divide evenly. So partitions of
// the same number of two topics go to the same member if both topics have as many partitions and subscribers.
//
// It has the name and the protocol of Apache Kafka's range assignor, the default of most clients. It is eager: all members
// release all partitions whenever the group rebalances.
func NewRangeAssignor() Assignor { return rangeAssignor{} }

type rangeAssignor struct{}

func (rangeAssignor) Name() string      { return "range" }
func (rangeAssignor) Cooperative() bool { return false }

func (rangeAssignor) Assign(members []GroupMember, partitions map[string]int32) map[string]Assignment {
	shares := make(map[string]Assignment, len(members))
	for _, m := range members {
		shares[m.ID] = Assignment{}
	}
	ordered := slices.SortedFunc(slices.Values(members), inRangeOrder)
	for topic, count := range partitions {
		readers := slices.DeleteFunc(slices.Clone(ordered), func(m GroupMember) bool { return !slices.Contains(m.Topics, topic) })
		for i, m := range readers {
			share := shares[m.ID]
			for p := rangeStart(i, len(readers), count); p < rangeStart(i+1, len(readers), count); p++ {
				share.Partitions = append(share.Partitions, TopicPartition{topic, p})
			}
			shares[m.ID] = share
		}
	}
	for _, share := range shares {
		sortPartitions(share.Partitions)
	}
	return shares
}

// rangeStart returns the first of count partitions that the i-th of n members gets.
func rangeStart(i, n int, count int32) int32 {
	each, more := int(count)/n, int(count)%n
	return int32(i*each + min(i, more))
}

// inRangeOrder sorts static members by instance id, before the others by member id, as Apache Kafka does. So a static member
// that restarts gets the same range.
func inRangeOrder(a, b GroupMember) int {
	switch {
	case a.InstanceID != "" && b.InstanceID != "":
		return cmp.Compare(a.InstanceID, b.InstanceID)
	case a.InstanceID != "":
		return -1
	case b.InstanceID != "":
		return 1
	}
	return cmp.Compare(a.ID, b.ID)
}
