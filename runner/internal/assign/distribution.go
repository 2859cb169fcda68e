package assign

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rio-streams/rio/kafka"
)

// task identifies a task: one partition of all topics of a group.
type task struct {
	group     int
	partition int32
}

func compareTasks(a, b task) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.partition, b.partition))
}

// candidate is a member to which tasks can be assigned.
type candidate struct {
	kafka.GroupMember
	quota     int
	tasks     map[task]bool
	inGroup   map[int]int    // number of its tasks in each group
	plan      uint64         // hash, 0 if unknown
	positions map[task]int64 // sum of the positions of the task's stores; a larger sum means more recent state
}

func (c *candidate) full() bool { return len(c.tasks) >= c.quota }

func (c *candidate) give(t task) {
	c.tasks[t] = true
	c.inGroup[t.group]++
}

func (c *candidate) drop(t task) {
	delete(c.tasks, t)
	c.inGroup[t.group]--
}

// distribution is one run of the assignor. Assign calls the methods that make up its steps.
type distribution struct {
	topics     [][]string // by group
	counts     map[string]int32
	candidates []*candidate // by id
	tasks      []task       // sorted
	owner      map[task]*candidate
}

func newDistribution(groups []Group, members []kafka.GroupMember, partitions map[string]int32) *distribution {
	d := &distribution{topics: withSingles(groups, partitions), counts: partitions, owner: make(map[task]*candidate)}
	for _, m := range members {
		member, _ := Decode(m.UserData, groups) // a member with invalid user data counts as one without state
		d.candidates = append(d.candidates, &candidate{
			GroupMember: m, tasks: make(map[task]bool), inGroup: make(map[int]int), plan: member.Plan, positions: member.positions(groups),
		})
	}
	slices.SortFunc(d.candidates, func(a, b *candidate) int { return strings.Compare(a.ID, b.ID) })
	for g, topics := range d.topics {
		widest := int32(0)
		for _, topic := range topics {
			widest = max(widest, partitions[topic])
		}
		for p := range widest {
			d.tasks = append(d.tasks, task{g, p})
		}
	}
	return d
}

// withSingles returns the topics of each group, followed by a group of its own for each topic that is in none.
func withSingles(groups []Group, partitions map[string]int32) [][]string {
	grouped := make(map[string]bool)
	var all [][]string
	for _, g := range groups {
		all = append(all, g.Topics)
		for _, topic := range g.Topics {
			grouped[topic] = true
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(partitions)) {
		if !grouped[topic] {
			all = append(all, []string{topic})
		}
	}
	return all
}

// plans returns the ids of the members of each known plan, ordered by plan.
func (d *distribution) plans() [][]string {
	byPlan := make(map[uint64][]string)
	for _, c := range d.candidates {
		if c.plan != 0 {
			byPlan[c.plan] = append(byPlan[c.plan], cmp.Or(c.InstanceID, c.ID))
		}
	}
	var plans [][]string
	for _, plan := range slices.Sorted(maps.Keys(byPlan)) {
		plans = append(plans, byPlan[plan])
	}
	return plans
}

// partitionsOf returns the partitions that make up a task.
func (d *distribution) partitionsOf(t task) []kafka.TopicPartition {
	var tps []kafka.TopicPartition
	for _, topic := range d.topics[t.group] {
		if t.partition < d.counts[topic] {
			tps = append(tps, kafka.TopicPartition{Topic: topic, Partition: t.partition})
		}
	}
	return tps
}

// eligible reports whether c subscribes to all topics of t.
func (d *distribution) eligible(c *candidate, t task) bool {
	for _, tp := range d.partitionsOf(t) {
		if !slices.Contains(c.Topics, tp.Topic) {
			return false
		}
	}
	return true
}

// keepOwned gives every task to the member that owns the most of its partitions.
func (d *distribution) keepOwned() {
	owners := make(map[kafka.TopicPartition]*candidate)
	for _, c := range d.candidates {
		for _, tp := range c.Owned {
			owners[tp] = c
		}
	}
	for _, t := range d.tasks {
		shares := make(map[*candidate]int)
		var most *candidate
		for _, tp := range d.partitionsOf(t) {
			c := owners[tp]
			if c == nil || !d.eligible(c, t) {
				continue
			}
			shares[c]++
			if most == nil || shares[c] > shares[most] {
				most = c
			}
		}
		if most != nil {
			d.place(t, most)
		}
	}
}

func (d *distribution) place(t task, c *candidate) {
	c.give(t)
	d.owner[t] = c
}

// setQuotas sets how many tasks each member gets. If some get one more than others, these are the members that already have
// the most tasks, and among equals those with the most recent state of the most tasks without an owner.
func (d *distribution) setQuotas() {
	if len(d.candidates) == 0 {
		return
	}
	expected := make(map[*candidate]int)
	for _, t := range d.tasks {
		if d.owner[t] == nil {
			expected[mostRecent(d.candidates, t, func(c *candidate) bool { return d.eligible(c, t) })]++
		}
	}
	byLoad := slices.SortedStableFunc(slices.Values(d.candidates), func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(len(b.tasks), len(a.tasks)), cmp.Compare(expected[b], expected[a]), cmp.Compare(len(b.positions), len(a.positions)))
	})
	floor, extra := len(d.tasks)/len(d.candidates), len(d.tasks)%len(d.candidates)
	for i, c := range byLoad {
		c.quota = floor
		if i < extra {
			c.quota++
		}
	}
}

// dropSurplus takes tasks from members that exceed their quota: first tasks of which a member below its quota has the state,
// then tasks of the group in which the member has the most.
func (d *distribution) dropSurplus() {
	var underQuota []*candidate
	for _, c := range d.candidates {
		if !c.full() {
			underQuota = append(underQuota, c)
		}
	}
	room := make(map[*candidate]int)
	for _, c := range underQuota {
		room[c] = c.quota - len(c.tasks)
	}
	for _, c := range d.candidates {
		for _, t := range d.tasks {
			if len(c.tasks) <= c.quota {
				break
			}
			if !c.tasks[t] {
				continue
			}
			if receiver := mostRecent(underQuota, t, func(h *candidate) bool { return room[h] > 0 && d.eligible(h, t) }); receiver != nil {
				c.drop(t)
				d.place(t, receiver)
				room[receiver]--
			}
		}
		for len(c.tasks) > c.quota {
			t := slices.MaxFunc(slices.Collect(maps.Keys(c.tasks)), func(a, b task) int {
				return cmp.Or(cmp.Compare(c.inGroup[a.group], c.inGroup[b.group]), compareTasks(a, b))
			})
			c.drop(t)
			delete(d.owner, t)
		}
	}
}

// mostRecent returns the eligible candidate with the most recent state of t, nil if none has any.
func mostRecent(candidates []*candidate, t task, eligible func(*candidate) bool) *candidate {
	var best *candidate
	for _, c := range candidates {
		position, ok := c.positions[t]
		if ok && eligible(c) && (best == nil || position > best.positions[t]) {
			best = c
		}
	}
	return best
}

// placeByState gives each task without an owner to the member below its quota that has the most recent state of it, if any.
func (d *distribution) placeByState() {
	for _, t := range d.tasks {
		if d.owner[t] != nil {
			continue
		}
		if c := mostRecent(d.candidates, t, func(c *candidate) bool { return !c.full() && d.eligible(c, t) }); c != nil {
			d.place(t, c)
		}
	}
}

// placeRest gives each remaining task to the least loaded eligible member.
func (d *distribution) placeRest() {
	for _, t := range d.tasks {
		if d.owner[t] != nil {
			continue
		}
		var best *candidate
		for _, c := range d.candidates {
			if d.eligible(c, t) && (best == nil || d.lessLoaded(c, best, t)) {
				best = c
			}
		}
		if best != nil {
			d.place(t, best)
		}
	}
}

// lessLoaded reports whether a should get t rather than b: members below their quota come first, ordered by their number of
// tasks in t's group, then by all their tasks. Members at their quota get t only if no other is eligible.
func (d *distribution) lessLoaded(a, b *candidate, t task) bool {
	if a.full() != b.full() {
		return b.full()
	}
	if a.full() {
		return len(a.tasks) < len(b.tasks)
	}
	return cmp.Or(cmp.Compare(a.inGroup[t.group], b.inGroup[t.group]), cmp.Compare(len(a.tasks), len(b.tasks))) < 0
}

func (d *distribution) shares() map[string]kafka.Assignment {
	shares := make(map[string]kafka.Assignment, len(d.candidates))
	for _, c := range d.candidates {
		var share kafka.Assignment
		for _, t := range slices.SortedFunc(maps.Keys(c.tasks), compareTasks) {
			share.Partitions = append(share.Partitions, d.partitionsOf(t)...)
		}
		shares[c.ID] = share
	}
	return shares
}
