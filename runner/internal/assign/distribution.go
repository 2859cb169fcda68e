package assign

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rio-streams/rio/kafka"
)

// task is partition p of all topics in a group.
type task struct {
	group     int
	partition int32
}

func compareTasks(a, b task) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.partition, b.partition))
}

// candidate is a member while tasks are distributed.
type candidate struct {
	kafka.GroupMember
	quota   int
	tasks   map[task]bool
	inGroup map[int]int    // number of tasks by group
	plan    uint64         // hash, 0 if unknown
	state   map[task]int64 // sum of the positions of its stores; larger is further
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

// distribution is one run of the assignor; its methods are the steps, in order.
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
		told, _ := Decode(m.UserData, groups) // if it makes no sense: nothing is known of the member
		d.candidates = append(d.candidates, &candidate{
			GroupMember: m, tasks: make(map[task]bool), inGroup: make(map[int]int), plan: told.Plan, state: told.states(groups),
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

// withSingles returns the topics of each group, and then a group for each topic that is in none.
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

// plans returns the ids of the members of each plan that is known, sorted.
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

// may reports whether c subscribes to all topics of t.
func (d *distribution) may(c *candidate, t task) bool {
	for _, tp := range d.partitionsOf(t) {
		if !slices.Contains(c.Topics, tp.Topic) {
			return false
		}
	}
	return true
}

// keepOwned gives every task to the member that owns most of its partitions.
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
			if c == nil || !d.may(c, t) {
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

// setQuotas says how many tasks each member gets. Where some get one more than others, those do who have most already, and
// then those whose state of most tasks is furthest.
func (d *distribution) setQuotas() {
	if len(d.candidates) == 0 {
		return
	}
	leads := make(map[*candidate]int)
	for _, t := range d.tasks {
		if d.owner[t] == nil {
			leads[furthest(d.candidates, t, func(c *candidate) bool { return d.may(c, t) })]++
		}
	}
	richest := slices.SortedStableFunc(slices.Values(d.candidates), func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(len(b.tasks), len(a.tasks)), cmp.Compare(leads[b], leads[a]), cmp.Compare(len(b.state), len(a.state)))
	})
	floor, more := len(d.tasks)/len(d.candidates), len(d.tasks)%len(d.candidates)
	for i, c := range richest {
		c.quota = floor
		if i < more {
			c.quota++
		}
	}
}

// dropSurplus takes from members with too many: first what a member with too few has the state of, then from the group of
// which they have most.
func (d *distribution) dropSurplus() {
	var hungry []*candidate
	for _, c := range d.candidates {
		if !c.full() {
			hungry = append(hungry, c)
		}
	}
	room := make(map[*candidate]int)
	for _, c := range hungry {
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
			if heir := furthest(hungry, t, func(h *candidate) bool { return room[h] > 0 && d.may(h, t) }); heir != nil {
				c.drop(t)
				d.place(t, heir)
				room[heir]--
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

// furthest returns the one of candidates that has the state of t and is furthest, nil if none has it.
func furthest(candidates []*candidate, t task, may func(*candidate) bool) *candidate {
	var best *candidate
	for _, c := range candidates {
		position, ok := c.state[t]
		if ok && may(c) && (best == nil || position > best.state[t]) {
			best = c
		}
	}
	return best
}

// placeByState places what has no owner with a member that has its state and room.
func (d *distribution) placeByState() {
	for _, t := range d.tasks {
		if d.owner[t] != nil {
			continue
		}
		if c := furthest(d.candidates, t, func(c *candidate) bool { return !c.full() && d.may(c, t) }); c != nil {
			d.place(t, c)
		}
	}
}

// placeRest places what is left with the member that has the fewest tasks of the group, among those with room.
func (d *distribution) placeRest() {
	for _, t := range d.tasks {
		if d.owner[t] != nil {
			continue
		}
		var best *candidate
		for _, c := range d.candidates {
			if d.may(c, t) && (best == nil || d.needier(c, best, t)) {
				best = c
			}
		}
		if best != nil {
			d.place(t, best)
		}
	}
}

// needier orders the candidates for t: those with room first, then by tasks of its group, then by all tasks. Those
// without room come into question only if nobody else may have it.
func (d *distribution) needier(a, b *candidate, t task) bool {
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
