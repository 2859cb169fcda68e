// Package assign decides which member of a group runs which task.
//
// The members of a group send a list of the stores on their disks to the leader (Member), and the leader distributes the
// tasks. The package keeps no state.
package assign

import "github.com/rio-streams/rio/kafka"

// A Group is a sub-topology. Partition p of all its topics makes one task, which has partition p of all its stores.
type Group struct {
	Topics []string // names in the cluster
	Stores []string
}

// New returns an assignor that assigns whole tasks. A topic that is in no group forms a group of its own.
//
//   - The numbers of tasks of two members differ by at most one.
//   - Within this limit, a task stays with its member. A new member only gets as many tasks as it needs, and if a member
//     leaves, only its tasks move.
//   - A task that must move goes to the member with the most recent state of it. A member with too many tasks first loses
//     those of which another member has the state.
//   - Otherwise the tasks of each group are spread evenly over the members.
//
// If members subscribe to different topics, as during an upgrade, a task only goes to members that subscribe to all its
// topics. Then the numbers of tasks may differ by more than one.
//
// If members have different plans, the leader calls differ, unless it is nil, with the ids of the members of each plan.
func New(groups []Group, differ func(plans [][]string)) kafka.Assignor {
	return assignor{groups, differ}
}

type assignor struct {
	groups []Group
	differ func(plans [][]string)
}

// Name returns the same name in all versions: older versions ignore the fields of Member that they do not know.
func (assignor) Name() string { return "rio-tasks" }

// Cooperative implements kafka.Assignor: tasks that stay are not interrupted.
func (assignor) Cooperative() bool { return true }

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
