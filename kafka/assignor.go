package kafka

import (
	"fmt"
	"slices"
	"strings"
)

// An Assignor distributes partitions over the members of a group. It must be deterministic: its result depends only on
// its arguments.
type Assignor interface {
	// Name identifies the assignor. The members of a group agree on one by its name.
	Name() string
	// Cooperative reports whether members keep their partitions while the group rebalances (KIP-429). Then every client
	// that uses an assignor of this name must withhold a partition until its owner has released it. Otherwise, the
	// assignor is eager: members release all partitions before they join again.
	Cooperative() bool
	// Assign returns the partitions that each member should end up with, keyed by member id. partitions holds the
	// number of partitions of each subscribed topic, 0 if the topic does not exist. Each partition goes to at most one
	// member, which must subscribe to its topic. Assign may move partitions freely: the caller makes the old owner
	// release a partition before the new one gets it.
	Assign(members []GroupMember, partitions map[string]int32) map[string]Assignment
}

// A GroupMember is what the group leader knows about a member.
type GroupMember struct {
	ID         string
	InstanceID string // set for static members only
	Topics     []string
	Owned      []TopicPartition // partitions the member owns now; no other member claims them
	UserData   []byte           // from its GroupConfig.UserData
}

// An Assignment is what one member is assigned.
type Assignment struct {
	Partitions []TopicPartition
	UserData   []byte
}

// assign returns the assignment of the next generation.
func assign(a Assignor, members []GroupMember, generations, partitions map[string]int32) map[string]Assignment {
	if a.Cooperative() {
		return assignCooperatively(a, members, generations, partitions)
	}
	return a.Assign(members, partitions) // nobody owns anything any more
}

// ParseAssignors returns the assignors that names lists, separated by commas: cooperative-sticky and range.
func ParseAssignors(names string) ([]Assignor, error) {
	known := []Assignor{NewStickyAssignor(), NewRangeAssignor()}
	var assignors []Assignor
	for name := range strings.SplitSeq(names, ",") {
		switch assignor := named(known, name); {
		case assignor == nil:
			return nil, fmt.Errorf("unknown assignor %q: use cooperative-sticky, range or both", name)
		case named(assignors, name) != nil:
			return nil, fmt.Errorf("assignor %s is named twice", name)
		default:
			assignors = append(assignors, assignor)
		}
	}
	return assignors, nil
}

// named returns the assignor of that name, nil if there is none.
func named(assignors []Assignor, name string) Assignor {
	for _, a := range assignors {
		if a.Name() == name {
			return a
		}
	}
	return nil
}

func assignorNames(assignors []Assignor) string {
	var names []string
	for _, a := range assignors {
		names = append(names, a.Name())
	}
	return strings.Join(names, ", ")
}

// assignCooperatively applies the cooperative protocol of KIP-429 to any assignor: a partition that another member
// still owns is withheld in this round. The owner sees that it is missing, releases it and joins again; the next round
// assigns it to its new owner. So a partition never has two owners, and members keep processing the partitions they
// keep.
func assignCooperatively(a Assignor, members []GroupMember, generations map[string]int32, partitions map[string]int32) map[string]Assignment {
	holders := owners(members, generations)
	settled := slices.Clone(members)
	for i, m := range settled {
		settled[i].Owned = slices.DeleteFunc(slices.Clone(m.Owned), func(tp TopicPartition) bool {
			return !slices.Equal(holders[tp], []string{m.ID})
		})
	}
	target := a.Assign(settled, partitions)
	shares := make(map[string]Assignment, len(members))
	for _, m := range members {
		share := target[m.ID]
		share.Partitions = slices.DeleteFunc(slices.Clone(share.Partitions), func(tp TopicPartition) bool {
			return len(holders[tp]) > 0 && !slices.Equal(holders[tp], []string{m.ID})
		})
		shares[m.ID] = share
	}
	return shares
}

// owners returns the members that claim each partition. If two members claim a partition, the claim of the later
// generation wins: the partition was reassigned while the other member was out of the group. If both claims have the
// same generation, both members must release it.
func owners(members []GroupMember, generations map[string]int32) map[TopicPartition][]string {
	held := make(map[TopicPartition][]string)
	for _, m := range members {
		for _, tp := range m.Owned {
			switch rivals := held[tp]; {
			case len(rivals) == 0 || generations[m.ID] > generations[rivals[0]]:
				held[tp] = []string{m.ID}
			case generations[m.ID] == generations[rivals[0]]:
				held[tp] = append(rivals, m.ID)
			}
		}
	}
	return held
}

// subscribed returns the topics that at least one member subscribes to.
func subscribed(members []GroupMember) []string {
	var topics []string
	for _, m := range members {
		topics = append(topics, m.Topics...)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}
