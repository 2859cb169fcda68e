package kafka

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// NewStickyAssignor returns an assignor that balances partitions and moves as few as possible. The numbers of
// partitions of two members differ by at most one, as far as subscriptions allow.
//
// It has the name and the protocol of Apache Kafka's cooperative-sticky assignor (KIP-429), so that other clients may be members
// of the same group if they use that one, too (partition.assignment.strategy=cooperative-sticky).
func NewStickyAssignor() Assignor { return stickyAssignor{} }

type stickyAssignor struct{}

func (stickyAssignor) Name() string      { return "cooperative-sticky" }
func (stickyAssignor) Cooperative() bool { return true }

// reader is a member during an assignment.
type reader struct {
	GroupMember
	has []TopicPartition
}

func (r *reader) may(tp TopicPartition) bool { return slices.Contains(r.Topics, tp.Topic) }

func (stickyAssignor) Assign(members []GroupMember, partitions map[string]int32) map[string]Assignment {
	owners := make(map[TopicPartition]*reader)
	var readers []*reader
	for _, m := range slices.SortedFunc(slices.Values(members), func(a, b GroupMember) int { return strings.Compare(a.ID, b.ID) }) {
		r := &reader{GroupMember: m}
		readers = append(readers, r)
		for _, tp := range m.Owned {
			if r.may(tp) {
				owners[tp] = r
			}
		}
	}
	var free []TopicPartition
	for _, topic := range slices.Sorted(maps.Keys(partitions)) {
		for p := range partitions[topic] {
			tp := TopicPartition{topic, p}
			if r := owners[tp]; r != nil {
				r.has = append(r.has, tp)
			} else {
				free = append(free, tp)
			}
		}
	}
	for _, tp := range free {
		if r := leastLoaded(readers, tp); r != nil {
			r.has = append(r.has, tp)
		}
	}
	for moveOne(readers) {
	}
	shares := make(map[string]Assignment, len(readers))
	for _, r := range readers {
		sortPartitions(r.has)
		shares[r.ID] = Assignment{Partitions: r.has}
	}
	return shares
}

// leastLoaded returns the reader with the fewest partitions among those that subscribe to tp's topic, nil if there is
// none.
func leastLoaded(readers []*reader, tp TopicPartition) *reader {
	var best *reader
	for _, r := range readers {
		if r.may(tp) && (best == nil || len(r.has) < len(best.has)) {
			best = r
		}
	}
	return best
}

// moveOne moves a partition from a reader to one with at least two fewer, and reports whether it moved one.
func moveOne(readers []*reader) bool {
	richest := slices.SortedStableFunc(slices.Values(readers), func(a, b *reader) int { return cmp.Compare(len(b.has), len(a.has)) })
	for _, rich := range richest {
		for i := len(rich.has) - 1; i >= 0; i-- {
			tp := rich.has[i]
			if poor := leastLoaded(readers, tp); poor != nil && len(poor.has)+2 <= len(rich.has) {
				rich.has = slices.Delete(rich.has, i, i+1)
				poor.has = append(poor.has, tp)
				return true
			}
		}
	}
	return false
}
