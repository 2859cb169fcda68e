package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/kafka"
)

// AssignorSubject describes an assignor under test. It balances units of work: a unit is one partition of all topics of a
// co-partitioned set.
type AssignorSubject struct {
	Assignor kafka.Assignor
	Units    [][]string              // sets of co-partitioned topics; each topic is in one set
	UserData func(t *rapid.T) []byte // user data of a random member; nil if members have none
}

// RunAssignor tests that an assignor assigns all partitions evenly to subscribers, and moves as few as possible.
func RunAssignor(t *testing.T, s AssignorSubject) {
	t.Run("few partitions move", func(t *testing.T) { rapid.Check(t, s.fewMove) })
	t.Run("members get what they subscribe to", func(t *testing.T) { rapid.Check(t, s.subscribed) })
}

// fewMove checks which units move if nothing changes, if a member joins, and if one leaves.
func (s AssignorSubject) fewMove(t *rapid.T) {
	counts := s.drawCounts(t)
	n := rapid.IntRange(1, 7).Draw(t, "members")
	var members []kafka.GroupMember
	for i := range n {
		members = append(members, s.drawMember(t, i))
	}
	first := s.settle(t, members, counts)
	if again := s.settle(t, owning(shuffled(members), first), counts); !reflect.DeepEqual(first, again) {
		t.Fatalf("partitions moved although nothing has changed:\n%v\n%v", first, again)
	}

	joiner := kafka.GroupMember{ID: fmt.Sprint("m", n), Topics: slices.Concat(s.Units...)}
	grown := s.settle(t, owning(append(slices.Clone(members), joiner), first), counts)
	if moved, needed := s.moved(first, grown), len(s.units(grown[joiner.ID])); moved != needed {
		t.Fatalf("a member got %d units when it joined, but %d moved:\n%v\n%v", needed, moved, first, grown)
	}

	gone := rapid.IntRange(0, n-1).Draw(t, "gone")
	if n == 1 {
		return
	}
	shrunk := s.settle(t, owning(slices.Delete(slices.Clone(members), gone, gone+1), first), counts)
	if moved, needed := s.moved(first, shrunk), len(s.units(first[members[gone].ID])); moved != needed {
		t.Fatalf("a member with %d units left, but %d moved:\n%v\n%v", needed, moved, first, shrunk)
	}
}

// subscribed checks assignments to members that subscribe to different topics, and of which some are new.
func (s AssignorSubject) subscribed(t *rapid.T) {
	counts := s.drawCounts(t)
	var members []kafka.GroupMember
	for i := range rapid.IntRange(1, 5).Draw(t, "members") {
		m := s.drawMember(t, i)
		m.Topics = slices.DeleteFunc(m.Topics, func(topic string) bool { return rapid.Bool().Draw(t, m.ID+" without "+topic) })
		members = append(members, m)
	}
	half := members[:len(members)/2]
	first := s.Assignor.Assign(half, counts)
	s.checkAssigned(t, half, first, counts)
	s.checkAssigned(t, members, s.Assignor.Assign(owning(members, first), counts), counts)
}

func (s AssignorSubject) drawCounts(t *rapid.T) map[string]int32 {
	counts := map[string]int32{}
	for _, topics := range s.Units {
		n := rapid.Int32Range(0, 9).Draw(t, topics[0])
		for _, topic := range topics {
			counts[topic] = n
		}
	}
	return counts
}

func (s AssignorSubject) drawMember(t *rapid.T, i int) kafka.GroupMember {
	m := kafka.GroupMember{ID: fmt.Sprint("m", i), Topics: slices.Concat(s.Units...)}
	if s.UserData != nil {
		m.UserData = s.UserData(t)
	}
	return m
}

// settle assigns all units to members that subscribe to all topics, and checks that their numbers differ by at most one.
func (s AssignorSubject) settle(t *rapid.T, members []kafka.GroupMember, counts map[string]int32) map[string]kafka.Assignment {
	shares := s.Assignor.Assign(members, counts)
	s.checkAssigned(t, members, shares, counts)
	var sizes []int
	for _, share := range shares {
		sizes = append(sizes, len(s.units(share)))
	}
	if slices.Max(sizes)-slices.Min(sizes) > 1 {
		t.Fatalf("unbalanced: %v", shares)
	}
	return shares
}

// checkAssigned checks that each unit is assigned to one member as a whole, if any member subscribes to all its topics.
func (s AssignorSubject) checkAssigned(t *rapid.T, members []kafka.GroupMember, shares map[string]kafka.Assignment, counts map[string]int32) {
	owners := map[kafka.TopicPartition][]string{}
	for id, share := range shares {
		for _, tp := range share.Partitions {
			owners[tp] = append(owners[tp], id)
		}
	}
	for _, topics := range s.Units {
		var may []string
		for _, m := range members {
			if !slices.ContainsFunc(topics, func(topic string) bool { return !slices.Contains(m.Topics, topic) }) {
				may = append(may, m.ID)
			}
		}
		for p := range counts[topics[0]] {
			for _, topic := range topics {
				tp := kafka.TopicPartition{Topic: topic, Partition: p}
				has := owners[tp]
				if len(has) != min(1, len(may)) || len(has) > 0 && !slices.Contains(may, has[0]) {
					t.Fatalf("%v is assigned to %v, want one of %v:\n%v", tp, has, may, shares)
				}
				if whole := owners[kafka.TopicPartition{Topic: topics[0], Partition: p}]; !slices.Equal(has, whole) {
					t.Fatalf("%v is assigned to %v, but a co-partitioned one to %v:\n%v", tp, has, whole, shares)
				}
			}
		}
	}
}

// units returns the units of a share, each as the partition of its first topic.
func (s AssignorSubject) units(share kafka.Assignment) []kafka.TopicPartition {
	return slices.DeleteFunc(slices.Clone(share.Partitions), func(tp kafka.TopicPartition) bool {
		return !slices.ContainsFunc(s.Units, func(topics []string) bool { return topics[0] == tp.Topic })
	})
}

// moved returns how many units have moved to another member.
func (s AssignorSubject) moved(before, after map[string]kafka.Assignment) (n int) {
	for id, share := range after {
		for _, unit := range s.units(share) {
			if !slices.Contains(before[id].Partitions, unit) {
				n++
			}
		}
	}
	return n
}

// owning returns the members with their assignments as owned partitions.
func owning(members []kafka.GroupMember, shares map[string]kafka.Assignment) []kafka.GroupMember {
	members = slices.Clone(members)
	for i, m := range members {
		members[i].Owned = shares[m.ID].Partitions
	}
	return members
}

func shuffled(members []kafka.GroupMember) []kafka.GroupMember {
	members = slices.Clone(members)
	rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return members
}
