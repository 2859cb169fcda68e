// Package assign decides which member of a group runs which task.
//
// The members of a group tell its leader what they have on their disks (Member), and the leader distributes the tasks.
// Everything here is a function of its arguments.
package assign

import "github.com/rio-streams/rio/kafka"

// A Group is a sub-topology: partition p of all its topics is one task, which keeps partition p of all its stores.
type Group struct {
	Topics []string // in the log
	Stores []string
}

// New returns the assignor of tasks. A task goes to one member as a whole. A topic that is in no group makes tasks by
// itself.
//
//   - Every member has as many tasks as any other, or one more.
//   - A task stays where it is if that allows it. Adding a member moves only what fills it, losing one moves only its tasks.
//   - A task that has to move goes to the member whose state of it is furthest, and a member with too many gives up first
//     what others have the state of.
//   - Beyond that, the tasks of each group are spread over the members.
//
// With members that subscribe to different topics, as during an upgrade, a task goes only to those that subscribe to all its
// topics, and the counts may differ by more.
//
// When the leader finds members with different plans it calls differ, if that is not nil, with the ids of the members of
// each plan.
func New(groups []Group, differ func(plans [][]string)) kafka.Assignor {
	return assignor{groups, differ}
}

type assignor struct {
	groups []Group
	differ func(plans [][]string)
}

// Name is the same in all versions: members of an older one read what they know of Member and ignore the rest.
func (assignor) Name() string { return "rio-tasks" }

// Assign implements kafka.Assignor.
func (a assignor) Assign(members []kafka.GroupMember, partitions map[string]int32) map[string]kafka.Assignment {
	d := newDistribution(a.groups, members, partitions)
	if plans := d.plans(); len(plans) > 1 && a.differ != nil {
		a.differ(plans)
	}
	d.keepOwned()
	d.setQuotas()
	d.dropSurplus()
	d.placeByState()
	d.placeRest()
	return d.shares()
}
