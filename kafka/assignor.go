package kafka

import "slices"

// An Assignor distributes partitions over the members of a group. It is a function of its arguments: no clock, no chance.
type Assignor interface {
	// Name is agreed on by all members of a group; members of different assignors cannot be in one.
	Name() string
	// Assign returns what each member should have in the end, by member id. partitions holds the number of partitions of
	// each subscribed topic, 0 for one that does not exist. Each partition goes to at most one member, who subscribes to
	// its topic. Assign need not care who must release a partition first: that is seen to.
	Assign(members []GroupMember, partitions map[string]int32) map[string]Assignment
}

// A GroupMember is what the leader knows of a member that joined.
type GroupMember struct {
	ID         string
	InstanceID string // of a static member
	Topics     []string
	Owned      []TopicPartition // what it has now; nobody else claims it
	UserData   []byte           // from its GroupConfig.UserData
}

// An Assignment is one member's share.
type Assignment struct {
	Partitions []TopicPartition
	UserData   []byte
}

// assignCooperatively applies the rule of KIP-429 to any assignor: a partition that another member still owns is withheld
// in this round. Its owner sees it missing, releases it and joins again; then it is given to whom it was meant for. So no
// partition ever has two owners, and everyone goes on with what stays.
func assignCooperatively(a Assignor, members []GroupMember, generations map[string]int32, partitions map[string]int32) map[string]Assignment {
	holders := holders(members, generations)
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

// holders returns who owns each partition. Of two that claim one, the claim of the later generation holds: the other was
// out of the group when it was given away. If both are of the same generation, both must release it.
func holders(members []GroupMember, generations map[string]int32) map[TopicPartition][]string {
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

// subscribed returns the topics that any member subscribes to.
func subscribed(members []GroupMember) []string {
	var topics []string
	for _, m := range members {
		topics = append(topics, m.Topics...)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}
