package kafka

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

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

// NewTaskAssignor returns the assignor of tasks: partition p of all topics in one of groups is one task, and goes to one
// member as a whole. A topic that is in no group makes tasks by itself.
//
//   - Every member has as many tasks as any other, or one more.
//   - A task stays where it is if that allows it. Adding a member moves only what fills it, losing one moves only its tasks.
//   - A task that has to move goes to a member that has its state, the freshest one (TaskState), and a member with too many
//     gives up first what others have the state of.
//   - Beyond that, the tasks of each group are spread over the members.
//
// With members that subscribe to different topics, as during an upgrade, a task goes only to those that subscribe to all its
// topics, and the counts may differ by more.
func NewTaskAssignor(groups [][]string) Assignor { return taskAssignor{groups} }

type taskAssignor struct{ groups [][]string }

func (taskAssignor) Name() string { return "rio-tasks" }

// task is partition p of all topics in a group.
type task struct {
	group     int
	partition int32
}

func compareTasks(a, b task) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.partition, b.partition))
}

// worker is a member while tasks are distributed.
type worker struct {
	GroupMember
	quota   int
	tasks   map[task]bool
	inGroup map[int]int    // number of tasks by group
	state   map[task]int64 // position, from its UserData
}

func (w *worker) full() bool { return len(w.tasks) >= w.quota }

func (w *worker) give(t task) {
	w.tasks[t] = true
	w.inGroup[t.group]++
}

func (w *worker) drop(t task) {
	delete(w.tasks, t)
	w.inGroup[t.group]--
}

func (a taskAssignor) Assign(members []GroupMember, partitions map[string]int32) map[string]Assignment {
	d := newDistribution(a.groups, members, partitions)
	d.keepOwned()
	d.setQuotas()
	d.dropSurplus()
	d.placeByState()
	d.placeRest()
	return d.shares()
}

// distribution is one run of the assignor; its methods are the steps, in order.
type distribution struct {
	topics  [][]string // by group
	counts  map[string]int32
	workers []*worker // by id
	tasks   []task    // sorted
	owner   map[task]*worker
}

func newDistribution(groups [][]string, members []GroupMember, partitions map[string]int32) *distribution {
	d := &distribution{topics: withSingles(groups, partitions), counts: partitions, owner: make(map[task]*worker)}
	for _, m := range members {
		w := &worker{GroupMember: m, tasks: make(map[task]bool), inGroup: make(map[int]int), state: make(map[task]int64)}
		states, _ := DecodeTaskStates(m.UserData) // of another version: it has no state we know of
		for _, s := range states {
			w.state[task{s.Group, s.Partition}] = s.Position
		}
		d.workers = append(d.workers, w)
	}
	slices.SortFunc(d.workers, func(a, b *worker) int { return strings.Compare(a.ID, b.ID) })
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

// withSingles appends a group for each topic that is in none.
func withSingles(groups [][]string, partitions map[string]int32) [][]string {
	grouped := make(map[string]bool)
	for _, topics := range groups {
		for _, topic := range topics {
			grouped[topic] = true
		}
	}
	all := slices.Clone(groups)
	for _, topic := range slices.Sorted(maps.Keys(partitions)) {
		if !grouped[topic] {
			all = append(all, []string{topic})
		}
	}
	return all
}

// partitionsOf returns the partitions that make up a task.
func (d *distribution) partitionsOf(t task) []TopicPartition {
	var tps []TopicPartition
	for _, topic := range d.topics[t.group] {
		if t.partition < d.counts[topic] {
			tps = append(tps, TopicPartition{topic, t.partition})
		}
	}
	return tps
}

// may reports whether w subscribes to all topics of t.
func (d *distribution) may(w *worker, t task) bool {
	for _, tp := range d.partitionsOf(t) {
		if !slices.Contains(w.Topics, tp.Topic) {
			return false
		}
	}
	return true
}

// keepOwned gives every task to the member that owns most of its partitions.
func (d *distribution) keepOwned() {
	owners := make(map[TopicPartition]*worker)
	for _, w := range d.workers {
		for _, tp := range w.Owned {
			owners[tp] = w
		}
	}
	for _, t := range d.tasks {
		shares := make(map[*worker]int)
		var most *worker
		for _, tp := range d.partitionsOf(t) {
			w := owners[tp]
			if w == nil || !d.may(w, t) {
				continue
			}
			shares[w]++
			if most == nil || shares[w] > shares[most] {
				most = w
			}
		}
		if most != nil {
			d.place(t, most)
		}
	}
}

func (d *distribution) place(t task, w *worker) {
	w.give(t)
	d.owner[t] = w
}

// setQuotas says how many tasks each member gets. Where some get one more than others, those do who have most already, and
// then those who have the state of most.
func (d *distribution) setQuotas() {
	if len(d.workers) == 0 {
		return
	}
	richest := slices.SortedStableFunc(slices.Values(d.workers), func(a, b *worker) int {
		return cmp.Or(cmp.Compare(len(b.tasks), len(a.tasks)), cmp.Compare(len(b.state), len(a.state)))
	})
	floor, more := len(d.tasks)/len(d.workers), len(d.tasks)%len(d.workers)
	for i, w := range richest {
		w.quota = floor
		if i < more {
			w.quota++
		}
	}
}

// dropSurplus takes from members with too many: first what a member with too few has the state of, then from the group of
// which they have most.
func (d *distribution) dropSurplus() {
	var hungry []*worker
	for _, w := range d.workers {
		if !w.full() {
			hungry = append(hungry, w)
		}
	}
	room := make(map[*worker]int)
	for _, w := range hungry {
		room[w] = w.quota - len(w.tasks)
	}
	for _, w := range d.workers {
		for _, t := range d.tasks {
			if len(w.tasks) <= w.quota {
				break
			}
			if !w.tasks[t] {
				continue
			}
			if heir := freshest(hungry, t, func(h *worker) bool { return room[h] > 0 && d.may(h, t) }); heir != nil {
				w.drop(t)
				d.place(t, heir)
				room[heir]--
			}
		}
		for len(w.tasks) > w.quota {
			t := slices.MaxFunc(slices.Collect(maps.Keys(w.tasks)), func(a, b task) int {
				return cmp.Or(cmp.Compare(w.inGroup[a.group], w.inGroup[b.group]), compareTasks(a, b))
			})
			w.drop(t)
			delete(d.owner, t)
		}
	}
}

// freshest returns the one of workers that has the state of t and is furthest, nil if none has it.
func freshest(workers []*worker, t task, may func(*worker) bool) *worker {
	var best *worker
	for _, w := range workers {
		position, ok := w.state[t]
		if ok && may(w) && (best == nil || position > best.state[t]) {
			best = w
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
		if w := freshest(d.workers, t, func(w *worker) bool { return !w.full() && d.may(w, t) }); w != nil {
			d.place(t, w)
		}
	}
}

// placeRest places what is left with the member that has the fewest tasks of the group, among those with room.
func (d *distribution) placeRest() {
	for _, t := range d.tasks {
		if d.owner[t] != nil {
			continue
		}
		var best *worker
		for _, w := range d.workers {
			if d.may(w, t) && (best == nil || d.needier(w, best, t)) {
				best = w
			}
		}
		if best != nil {
			d.place(t, best)
		}
	}
}

// needier orders the candidates for t: those with room first, then by tasks of its group, then by all tasks. Those
// without room come into question only if nobody else may have it.
func (d *distribution) needier(a, b *worker, t task) bool {
	if a.full() != b.full() {
		return b.full()
	}
	if a.full() {
		return len(a.tasks) < len(b.tasks)
	}
	return cmp.Or(cmp.Compare(a.inGroup[t.group], b.inGroup[t.group]), cmp.Compare(len(a.tasks), len(b.tasks))) < 0
}

func (d *distribution) shares() map[string]Assignment {
	shares := make(map[string]Assignment, len(d.workers))
	for _, w := range d.workers {
		var share Assignment
		for _, t := range slices.SortedFunc(maps.Keys(w.tasks), compareTasks) {
			share.Partitions = append(share.Partitions, d.partitionsOf(t)...)
		}
		sortPartitions(share.Partitions)
		shares[w.ID] = share
	}
	return shares
}
