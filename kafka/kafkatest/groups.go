package kafkatest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rio-streams/rio/kafka"
)

var groups = theme{"groups", []testCase{
	{"one member has everything", oneHasEverything},
	{"members share", membersShare},
	{"what a member leaves goes to the others", leftGoesToOthers},
	{"a silent member is replaced", silentIsReplaced},
	{"a static member comes back to what it had", staticComesBack},
	{"a second process with the same instance id fences the first", secondInstance},
	{"a member of another protocol is refused", otherProtocol},
	{"new partitions are assigned", newPartitions},
	{"random membership changes", churn},
	{"offsets and their notes", offsetsAndNotes},
	{"no offsets", noOffsets},
	{"lag", lag},
	{"describe and list", describeAndList},
	{"delete", deleteGroup},
	{"delete offsets", deleteOffsets},
}}

// member is a member of a group that acknowledges every rebalance at once.
type member struct {
	*kafka.Membership
	s    *subject
	done chan struct{}
	once sync.Once

	mu  sync.Mutex
	has []kafka.TopicPartition
	err error
}

func (s *subject) join(group, topic string, more ...func(*kafka.GroupConfig)) *member {
	cfg := kafka.GroupConfig{
		Group: group, Topics: []string{topic}, Assignors: []kafka.Assignor{kafka.NewStickyAssignor()},
		SessionTimeout: waitTimeout / 2, HeartbeatInterval: 50 * time.Millisecond,
	}
	for _, set := range more {
		set(&cfg)
	}
	m := &member{Membership: s.Join(cfg), s: s, done: make(chan struct{})}
	go m.own()
	s.Cleanup(m.leave)
	return m
}

func (m *member) own() {
	defer close(m.done)
	for r := range m.Rebalances() {
		m.mu.Lock()
		m.has = slices.DeleteFunc(m.has, func(tp kafka.TopicPartition) bool { return slices.Contains(r.Revoked, tp) })
		m.has = append(m.has, r.Added...)
		m.err = r.Err
		m.mu.Unlock()
		m.Ack()
	}
}

func (m *member) leave() {
	m.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
		defer cancel()
		if err := m.Leave(ctx); err != nil {
			m.s.Errorf("leave: %v", err)
		}
		<-m.done
	})
}

// owned returns the member's partitions, ordered by topic and number.
func (m *member) owned() []kafka.TopicPartition {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(slices.Values(m.has), func(a, b kafka.TopicPartition) int {
		return strings.Compare(a.String(), b.String()) // correct for partitions below 10
	})
}

func (m *member) fatal() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// until waits until the member has n partitions.
func (m *member) until(n int) {
	m.s.Helper()
	eventually(m.s, "the member has as many partitions as it should", func() bool { return len(m.owned()) == n }, m)
}

// afterGeneration waits until the member is in a later generation.
func (m *member) afterGeneration(past int32) {
	m.s.Helper()
	eventually(m.s, "a new generation has begun", func() bool { return m.Ref().Generation > past }, m)
}

// eventually waits until holds returns true.
func eventually(s *subject, what string, holds func() bool, members ...*member) {
	s.Helper()
	eventuallySlow(s, 5*time.Millisecond, what, holds, members...)
}

// eventuallySlow is like eventually, but calls holds less often because it is expensive.
func eventuallySlow(s *subject, interval time.Duration, what string, holds func() bool, members ...*member) {
	s.Helper()
	again := time.NewTicker(interval)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-s.ctx.Done():
			for _, m := range members {
				s.Logf("%+v has %v, error %v", m.Ref(), m.owned(), m.fatal())
			}
			s.Fatalf("timed out waiting until %s", what)
		}
	}
}

// share waits until every partition of topic has exactly one owner, and returns how many each member has, in the given
// order.
func share(s *subject, topic string, partitions int, want []int, members ...*member) {
	s.Helper()
	eventually(s, "everyone has its share", func() bool {
		var all []kafka.TopicPartition
		for i, m := range members {
			has := m.owned()
			if len(has) != want[i] {
				return false
			}
			all = append(all, has...)
		}
		slices.SortFunc(all, func(a, b kafka.TopicPartition) int { return int(a.Partition - b.Partition) })
		for i, tp := range all {
			if tp != (kafka.TopicPartition{Topic: topic, Partition: int32(i)}) {
				return false
			}
		}
		return len(all) == partitions
	}, members...)
}

func oneHasEverything(s *subject) {
	topic := s.topic(3)
	share(s, topic, 3, []int{3}, s.join(s.unique(), topic))
}

func membersShare(s *subject) {
	topic, group := s.topic(6), s.unique()
	ana := s.join(group, topic)
	ana.until(6)
	bea := s.join(group, topic)
	share(s, topic, 6, []int{3, 3}, ana, bea)
	cid := s.join(group, topic)
	share(s, topic, 6, []int{2, 2, 2}, ana, bea, cid)
}

func leftGoesToOthers(s *subject) {
	topic, group := s.topic(4), s.unique()
	ana, bea := s.join(group, topic), s.join(group, topic)
	share(s, topic, 4, []int{2, 2}, ana, bea)
	ana.leave()
	share(s, topic, 4, []int{4}, bea)
}

func silentIsReplaced(s *subject) {
	topic, group := s.topic(2), s.unique()
	client, err := kafka.Dial(s.ctx, s.cfg)
	s.must(err)
	defer client.Close()
	silent := client.Join(kafka.GroupConfig{Group: group, Topics: []string{topic}, Assignors: []kafka.Assignor{kafka.NewStickyAssignor()}, SessionTimeout: time.Second})
	if r := <-silent.Rebalances(); len(r.Added) != 2 {
		s.Fatalf("the first member got %+v", r)
	}
	client.Close() // without leaving the group, like a killed process
	defer silent.Leave(s.ctx)
	share(s, topic, 2, []int{2}, s.join(group, topic))
}

func staticComesBack(s *subject) {
	topic, group := s.topic(4), s.unique()
	static := func(cfg *kafka.GroupConfig) { cfg.InstanceID = "instance" }
	ana, bea := s.join(group, topic), s.join(group, topic, static)
	share(s, topic, 4, []int{2, 2}, ana, bea)
	had, kept := bea.owned(), ana.owned()
	bea.leave()
	back := s.join(group, topic, static)
	share(s, topic, 4, []int{2, 2}, ana, back)
	if !slices.Equal(back.owned(), had) || !slices.Equal(ana.owned(), kept) {
		s.Errorf("the static member had %v and came back to %v", had, back.owned())
	}
}

func secondInstance(s *subject) {
	topic, group := s.topic(2), s.unique()
	static := func(cfg *kafka.GroupConfig) { cfg.InstanceID = "instance" }
	first := s.join(group, topic, static)
	first.until(2)
	second := s.join(group, topic, static)
	second.until(2)
	eventually(s, "the first is told", func() bool { return first.fatal() != nil }, first)
	s.wants(kafka.ErrFencedInstance, first.fatal(), "a member whose instance id was taken")
}

func otherProtocol(s *subject) {
	topic, group := s.topic(2), s.unique()
	s.join(group, topic).until(2)
	other := s.join(group, topic, func(cfg *kafka.GroupConfig) { cfg.Assignors = []kafka.Assignor{renamed{cfg.Assignors[0]}} })
	eventually(s, "the other is refused", func() bool { return other.fatal() != nil }, other)
}

type renamed struct{ kafka.Assignor }

func (renamed) Name() string { return "something-else" }

func newPartitions(s *subject) {
	topic, later := s.topic(2), s.unique()
	group := s.unique()
	m := s.join(group, topic, func(cfg *kafka.GroupConfig) {
		cfg.Topics = append(cfg.Topics, later)
		cfg.TopicsInterval = 50 * time.Millisecond
	})
	m.until(2)
	s.must(s.CreateTopics(s.ctx, kafka.TopicSpec{Name: later, Partitions: 3}))
	m.until(5)
	s.must(s.DeleteTopics(s.ctx, later))
	m.until(2)
}

func offsetsAndNotes(s *subject) {
	topic, group := s.topic(2), s.unique()
	p0, p1 := kafka.TopicPartition{Topic: topic}, kafka.TopicPartition{Topic: topic, Partition: 1}
	ref := kafka.GroupRef{Group: group}
	s.must(s.CommitOffsets(s.ctx, ref, map[kafka.TopicPartition]kafka.CommittedOffset{p0: {Offset: 5, Metadata: "a note, çá"}, p1: {Offset: 0}}))
	s.must(s.CommitOffsets(s.ctx, ref, map[kafka.TopicPartition]kafka.CommittedOffset{p1: {Offset: 7}}))
	all, err := s.CommittedOffsets(s.ctx, group, nil)
	s.must(err)
	if len(all) != 2 || all[p0] != (kafka.CommittedOffset{Offset: 5, Metadata: "a note, çá"}) || all[p1].Offset != 7 {
		s.Errorf("committed %+v", all)
	}
	s.must(s.CommitOffsets(s.ctx, ref, at(p0, 2))) // backwards is allowed
	s.hasCommitted(group, p0, 2)
}

func noOffsets(s *subject) {
	tp, group := s.partition(), s.unique()
	if got, ok := s.committed(group, tp); ok {
		s.Errorf("a group that does not exist has committed %+v", got)
	}
	s.must(s.CommitOffsets(s.ctx, kafka.GroupRef{Group: group}, at(tp, 1)))
	other := kafka.TopicPartition{Topic: s.topic(1)}
	if got, ok := s.committed(group, other); ok {
		s.Errorf("committed offset %+v, although none was committed for that topic", got)
	}
}

func lag(s *subject) {
	tp, group := s.partition(), s.unique()
	s.produce(tp, "a", "b", "c", "d", "e")
	s.must(s.CommitOffsets(s.ctx, kafka.GroupRef{Group: group}, at(tp, 2)))
	described, err := s.DescribeGroup(s.ctx, group)
	s.must(err)
	if len(described.Partitions) != 1 {
		s.Fatalf("described %+v", described)
	}
	if l := described.Partitions[0]; l.TopicPartition != tp || l.Committed != 2 || l.Start != 0 || l.End != 5 || l.Lag != 3 || l.MemberID != "" {
		s.Errorf("lag %+v", l)
	}
}

func describeAndList(s *subject) {
	topic, group := s.topic(2), s.unique()
	if d, err := s.DescribeGroup(s.ctx, group); err != nil || d.State != "Dead" || len(d.Members) != 0 {
		s.Errorf("a group that does not exist is described as %+v, %v", d, err)
	}
	m := s.join(group, topic)
	m.until(2)
	d, err := s.DescribeGroup(s.ctx, group)
	s.must(err)
	if d.State != "Stable" || d.Protocol != "cooperative-sticky" || len(d.Members) != 1 || len(d.Partitions) != 2 {
		s.Fatalf("described %+v", d)
	}
	if got := d.Members[0]; got.MemberID != m.Ref().MemberID || !slices.Equal(got.Partitions, m.owned()) {
		s.Errorf("member %+v", got)
	}
	s.listed(group, "Stable")
	m.leave()
	s.listed(group, "Empty")
}

// listed checks that the list of all groups contains group in the given state.
func (s *subject) listed(group, state string) {
	s.Helper()
	all, err := s.Groups(s.ctx)
	s.must(err)
	i := slices.IndexFunc(all, func(g kafka.GroupListing) bool { return g.Name == group })
	if i < 0 || all[i].State != state {
		s.Errorf("among %d groups %s is not listed as %s", len(all), group, state)
	}
}

func deleteGroup(s *subject) {
	tp, group := s.partition(), s.unique()
	m := s.join(group, tp.Topic)
	m.until(1)
	s.must(s.CommitOffsets(s.ctx, m.Ref(), at(tp, 1)))
	s.wants(kafka.ErrGroupNotEmpty, s.DeleteGroup(s.ctx, group), "delete a group with a member")
	m.leave()
	s.hasCommitted(group, tp, 1)
	s.must(s.DeleteGroup(s.ctx, group))
	if got, ok := s.committed(group, tp); ok {
		s.Errorf("a deleted group has committed %+v", got)
	}
	s.wants(kafka.ErrUnknownGroup, s.DeleteGroup(s.ctx, group), "delete a deleted group")
}

func deleteOffsets(s *subject) {
	a, b, group := s.partition(), s.partition(), s.unique()
	ref := kafka.GroupRef{Group: group}
	s.must(s.CommitOffsets(s.ctx, ref, at(a, 1)))
	s.must(s.CommitOffsets(s.ctx, ref, at(b, 2)))
	s.must(s.DeleteGroupOffsets(s.ctx, group, []kafka.TopicPartition{a}))
	if got, ok := s.committed(group, a); ok {
		s.Errorf("committed offset %+v after the group was deleted", got)
	}
	s.hasCommitted(group, b, 2)

	m := s.join(group, b.Topic)
	m.until(1)
	s.wants(kafka.ErrGroupNotEmpty, s.DeleteGroupOffsets(s.ctx, group, []kafka.TopicPartition{b}), "delete offsets of a topic that a member reads")
}
