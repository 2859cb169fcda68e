package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/rio-streams/rio/broker"
)

// ownership maps each partition to its owner.
type ownership map[TopicPartition]string

// testGroup is a broker, a topic, and members. The owners of the members record their partitions and fail the test if
// they get partitions that another member has not released.
type testGroup struct {
	t      *testing.T
	broker *broker.Broker
	dir    string
	client *Client
	topic  string
	name   string

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	owners   ownership
	outlawed map[string]bool // expelled members that have not noticed yet: their partitions may go to others
}

// groupTimeout bounds how long a test waits; only a failing test waits that long.
const groupTimeout = 60 * time.Second

func newGroup(t *testing.T, partitions int32) *testGroup {
	g := &testGroup{t: t, dir: t.TempDir(), topic: "work", name: "group", changed: make(chan struct{}), owners: ownership{}, outlawed: map[string]bool{}}
	g.broker = mustHave(broker.Start(broker.Config{DataDir: g.dir}))(t)
	t.Cleanup(func() { g.broker.Close() })
	g.client = g.dial()
	g.create(g.topic, partitions)
	return g
}

func (g *testGroup) dial() *Client {
	client := mustHave(Dial(g.t.Context(), Config{Brokers: []string{g.broker.Addr()}}))(g.t)
	g.t.Cleanup(func() { client.Close() })
	return client
}

func (g *testGroup) restartBroker() {
	address := g.broker.Addr()
	if err := g.broker.Close(); err != nil {
		g.t.Fatal(err)
	}
	g.broker = mustHave(broker.Start(broker.Config{DataDir: g.dir, Listen: address}))(g.t)
}

func (g *testGroup) create(topic string, partitions int32) {
	res := mustHave(askAny(g.t.Context(), g.client, (*sarama.Broker).CreateTopics, &sarama.CreateTopicsRequest{
		Version: 4, Timeout: groupTimeout,
		TopicDetails: map[string]*sarama.TopicDetail{topic: {NumPartitions: partitions, ReplicationFactor: 1}},
	}))(g.t)
	if err := codeError(res.TopicErrors[topic].Err); err != nil {
		g.t.Fatal(err)
	}
}

func (g *testGroup) grow(topic string, partitions int32) {
	res := mustHave(askAny(g.t.Context(), g.client, (*sarama.Broker).CreatePartitions, &sarama.CreatePartitionsRequest{
		Version: 1, Timeout: groupTimeout, TopicPartitions: map[string]*sarama.TopicPartition{topic: {Count: partitions}},
	}))(g.t)
	if err := codeError(res.TopicPartitionErrors[topic].Err); err != nil {
		g.t.Fatal(err)
	}
}

func (g *testGroup) expel(memberID string) {
	if err := g.tryExpel(memberID); err != nil {
		g.t.Fatal(err)
	}
}

func (g *testGroup) tryExpel(memberID string) error {
	res := mustHave(askAny(g.t.Context(), g.client, (*sarama.Broker).LeaveGroup, &sarama.LeaveGroupRequest{
		Version: 4, GroupId: g.name, Members: []sarama.MemberIdentity{{MemberId: memberID}},
	}))(g.t)
	return codeError(res.Err)
}

// awaitState waits until the group is in a state.
func (g *testGroup) awaitState(state string) {
	g.t.Helper()
	deadline := time.Now().Add(groupTimeout)
	for {
		described, err := g.client.DescribeGroup(g.t.Context(), g.name)
		switch {
		case err != nil:
			g.t.Fatal(err)
		case described.State == state:
			return
		case time.Now().After(deadline):
			g.t.Fatalf("timed out waiting for group state %s; it is %s", state, described.State)
		}
	}
}

func (g *testGroup) commit(ref GroupRef, offset int64) error {
	req := &sarama.OffsetCommitRequest{Version: 7, ConsumerGroup: ref.Group, ConsumerGroupGeneration: ref.Generation, ConsumerID: ref.MemberID}
	req.AddBlockWithLeaderEpoch(g.topic, 0, offset, -1, 0, "")
	res := mustHave(askAny(g.t.Context(), g.client, (*sarama.Broker).CommitOffset, req))(g.t)
	return codeError(res.Errors[g.topic][0])
}

// await waits until all conditions hold at the same time.
func (g *testGroup) await(what string, conditions ...func(ownership) bool) {
	g.t.Helper()
	deadline := time.After(groupTimeout)
	for {
		g.mu.Lock()
		now, changed := maps.Clone(g.owners), g.changed
		g.mu.Unlock()
		if !slices.ContainsFunc(conditions, func(holds func(ownership) bool) bool { return !holds(now) }) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			g.t.Fatalf("timed out waiting until %s: %v", what, now)
		}
	}
}

func (g *testGroup) has(member string, n int) func(ownership) bool {
	return func(now ownership) bool { return now.count(member) == n }
}

func (now ownership) count(member string) (n int) {
	for _, owner := range now {
		if owner == member {
			n++
		}
	}
	return n
}

func (g *testGroup) of(member string) []TopicPartition {
	g.mu.Lock()
	defer g.mu.Unlock()
	var tps []TopicPartition
	for tp, owner := range g.owners {
		if owner == member {
			tps = append(tps, tp)
		}
	}
	sortPartitions(tps)
	return tps
}

// testMember is a membership with its owner.
type testMember struct {
	*Membership
	g    *testGroup
	name string
	done chan struct{} // closed when the owner has ended

	// Guarded by g.mu.
	revoked, lost int
	left          bool
	err           error
	letGo         chan struct{} // not nil while the owner delays releases

	held    chan Rebalance // the rebalance that the owner got while it delays releases
	leaving sync.Once
}

func (g *testGroup) join(name string, more ...func(*GroupConfig)) *testMember {
	return g.joinWith(g.client, name, more...)
}

func (g *testGroup) joinWith(client *Client, name string, more ...func(*GroupConfig)) *testMember {
	cfg := GroupConfig{
		Group: g.name, Topics: []string{g.topic}, Assignors: []Assignor{NewStickyAssignor()},
		SessionTimeout: 30 * time.Second, HeartbeatInterval: 20 * time.Millisecond,
	}
	for _, set := range more {
		set(&cfg)
	}
	m := &testMember{Membership: client.Join(cfg), g: g, name: name, done: make(chan struct{}), held: make(chan Rebalance, 100)}
	go m.own()
	g.t.Cleanup(m.leave)
	return m
}

// eitherWay makes a member offer both assignors.
func eitherWay(cfg *GroupConfig) { cfg.Assignors = []Assignor{NewStickyAssignor(), NewRangeAssignor()} }

// own is the owner: it records changes and acknowledges all rebalances.
func (m *testMember) own() {
	defer close(m.done)
	for r := range m.Rebalances() {
		m.note(r)
		m.Ack()
	}
}

func (m *testMember) note(r Rebalance) {
	m.g.mu.Lock()
	defer m.g.mu.Unlock()
	if letGo := m.letGo; letGo != nil && r.needsAck() {
		m.g.mu.Unlock()
		m.held <- r
		<-letGo
		m.g.mu.Lock()
	}
	if m.left {
		return
	}
	for _, tp := range r.Revoked {
		switch owner := m.g.owners[tp]; {
		case owner == m.name:
			delete(m.g.owners, tp)
		case owner != "" && !r.Lost && !m.g.outlawed[m.name]:
			m.g.t.Errorf("%s had to release %v, which %s owns", m.name, tp, owner)
		}
	}
	for _, tp := range r.Added {
		switch owner := m.g.owners[tp]; {
		case owner == "" || m.g.outlawed[owner]:
			m.g.owners[tp] = m.name
		case !m.g.outlawed[m.name]: // otherwise the member was expelled, and this is an old rebalance
			m.g.t.Errorf("%s was given %v, which %s has not released", m.name, tp, owner)
		}
	}
	if r.Lost {
		m.lost++
		delete(m.g.outlawed, m.name)
	} else {
		m.revoked += len(r.Revoked)
	}
	m.err = errors.Join(m.err, r.Err)
	close(m.g.changed)
	m.g.changed = make(chan struct{})
}

func (m *testMember) leave() { m.leaveBy(m.Leave) }

func (m *testMember) leaveBy(leave func(context.Context) error) {
	m.leaving.Do(func() {
		m.release()
		ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
		defer cancel()
		// Its partitions are released before others can get them.
		m.g.mu.Lock()
		m.left = true
		maps.DeleteFunc(m.g.owners, func(_ TopicPartition, owner string) bool { return owner == m.name })
		m.g.mu.Unlock()
		if err := leave(ctx); err != nil && !errors.Is(err, ErrClosed) {
			m.g.t.Errorf("%s: %v", m.name, err)
		}
		<-m.done
	})
}

// holdBack makes the owner delay the release of revoked or lost partitions; heldBack returns the delayed rebalance.
func (m *testMember) holdBack() (release func()) {
	m.g.mu.Lock()
	defer m.g.mu.Unlock()
	m.letGo = make(chan struct{})
	return m.release
}

func (m *testMember) release() {
	m.g.mu.Lock()
	defer m.g.mu.Unlock()
	if m.letGo != nil {
		close(m.letGo)
		m.letGo = nil
	}
}

func (m *testMember) heldBack() Rebalance {
	m.g.t.Helper()
	select {
	case r := <-m.held:
		return r
	case <-time.After(groupTimeout):
		m.g.t.Fatalf("timed out waiting for a rebalance of %s", m.name)
		return Rebalance{}
	}
}

// pause closes the member's connections, so that it sends no heartbeats, as if its process were stopped.
func (m *testMember) pause() (resume func()) {
	m.outlaw()
	var held []*conn
	for _, p := range []*pool{m.joinPool, m.heartbeatPool} {
		c := p.get(m.g.broker.Addr())
		<-c.turn
		held = append(held, c)
	}
	return func() {
		for _, c := range held {
			c.turn <- struct{}{}
		}
	}
}

func (m *testMember) outlaw() {
	m.g.mu.Lock()
	defer m.g.mu.Unlock()
	m.g.outlawed[m.name] = true
}

func (m *testMember) owns() int         { return len(m.g.of(m.name)) }
func (m *testMember) revokedTimes() int { return locked(m, func() int { return m.revoked }) }
func (m *testMember) lostTimes() int    { return locked(m, func() int { return m.lost }) }
func (m *testMember) fatal() error      { return locked(m, func() error { return m.err }) }

func locked[T any](m *testMember, get func() T) T {
	m.g.mu.Lock()
	defer m.g.mu.Unlock()
	return get()
}

func mustHave[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
