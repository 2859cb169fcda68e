package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/goleak"

	"github.com/rio-streams/rio/broker"
)

func TestMembersShareTheWork(t *testing.T) {
	g := newGroup(t, 6)
	ana := g.join("ana")
	g.await("ana has everything", g.has("ana", 6))
	bea := g.join("bea")
	g.await("two have three each", g.has("ana", 3), g.has("bea", 3))
	cid := g.join("cid")
	g.await("three have two each", g.has("ana", 2), g.has("bea", 2), g.has("cid", 2))

	bea.leave()
	g.await("the two that stay share what the third left", g.has("ana", 3), g.has("cid", 3))
	if n := ana.revokedTimes(); n != 4 {
		t.Errorf("ana had to give up %d partitions; 3 for bea and 1 for cid are enough", n)
	}
	if n := cid.revokedTimes(); n != 0 {
		t.Errorf("cid had to give up %d partitions when bea left", n)
	}
}

func TestNothingIsGivenAwayBeforeItIsReleased(t *testing.T) {
	g := newGroup(t, 2)
	ana := g.join("ana", func(cfg *GroupConfig) { cfg.SessionTimeout = time.Second })
	g.await("ana has everything", g.has("ana", 2))

	release := ana.holdBack()
	bea := g.join("bea")
	revoked := ana.heldBack()
	if len(revoked.Revoked) != 1 || revoked.Lost {
		t.Fatalf("ana was told %+v, want one partition revoked", revoked)
	}
	generation := ana.Ref().Generation
	// Longer than the session time-out, ana works on her last records; her heartbeats keep her in the group.
	select {
	case <-ana.ended:
	case <-time.After(1200 * time.Millisecond):
	}
	if ana.Ref().Generation != generation || bea.owns() > 0 {
		t.Fatalf("generation %d became %d, and bea owns %d", generation, ana.Ref().Generation, bea.owns())
	}
	release()
	g.await("bea has what ana released", g.has("ana", 1), g.has("bea", 1))
}

func TestSilentMemberIsLostAndComesBack(t *testing.T) {
	g := newGroup(t, 4)
	g.join("ana")
	bea := g.join("bea", func(cfg *GroupConfig) { cfg.SessionTimeout = time.Second })
	g.await("two each", g.has("ana", 2), g.has("bea", 2))

	resume := bea.pause()
	g.await("bea knows by herself that she was given up", func(ownership) bool { return bea.lostTimes() == 1 })
	g.await("ana has everything", g.has("ana", 4))
	resume()
	g.await("bea is back", g.has("ana", 2), g.has("bea", 2))
}

func TestExpelledMemberIsLostAndComesBack(t *testing.T) {
	g := newGroup(t, 4)
	g.join("ana")
	bea := g.join("bea")
	g.await("two each", g.has("ana", 2), g.has("bea", 2))
	first := bea.Ref()

	release := bea.holdBack()
	bea.outlaw()
	g.expel(first.MemberID)
	if r := bea.heldBack(); !r.Lost || len(r.Revoked) != 2 {
		t.Fatalf("bea was told %+v, want that both of hers are lost", r)
	}
	g.await("ana has everything while bea has not let go", g.has("ana", 4))
	if bea.Ref() != first {
		t.Errorf("a commit of bea's would name %+v, want the lost %+v", bea.Ref(), first)
	}
	release()
	g.await("bea is back", g.has("ana", 2), g.has("bea", 2))
	if bea.Ref().MemberID == first.MemberID {
		t.Error("bea is back as the member that was expelled")
	}
}

func TestZombieCannotCommit(t *testing.T) {
	g := newGroup(t, 2)
	ana := g.join("ana")
	g.await("ana has everything", g.has("ana", 2))
	before := ana.Ref()
	if err := g.commit(before, 7); err != nil {
		t.Fatalf("commit of a member: %v", err)
	}

	bea := g.join("bea")
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
	if err := g.commit(before, 8); !errors.Is(err, ErrIllegalGeneration) {
		t.Errorf("commit in a generation that is over: %v, want ErrIllegalGeneration", err)
	}
	if err := g.commit(ana.Ref(), 9); err != nil {
		t.Errorf("commit in the current generation: %v", err)
	}

	gone := bea.Ref()
	bea.leave()
	if err := g.commit(gone, 10); !errors.Is(err, ErrUnknownMember) {
		t.Errorf("commit of a member that left: %v, want ErrUnknownMember", err)
	}
}

func TestStaticMemberComesBackToWhatItHad(t *testing.T) {
	g := newGroup(t, 4)
	static := func(cfg *GroupConfig) { cfg.InstanceID = "instance-b" }
	ana := g.join("ana")
	bea := g.join("bea", static)
	g.await("two each", g.has("ana", 2), g.has("bea", 2))
	had := g.of("bea")
	revoked := ana.revokedTimes()

	bea.leave()
	g.join("bea again", static)
	g.await("bea has what she had", g.has("bea again", 2))
	if !slices.Equal(g.of("bea again"), had) {
		t.Errorf("bea had %v and came back to %v", had, g.of("bea again"))
	}
	if n := ana.revokedTimes() - revoked; n != 0 {
		t.Errorf("ana had to give up %d partitions for bea, who was away for a moment", n)
	}
}

func TestSecondProcessWithTheSameInstanceFencesTheFirst(t *testing.T) {
	g := newGroup(t, 2)
	static := func(cfg *GroupConfig) { cfg.InstanceID = "instance-a" }
	first := g.join("first", static)
	g.await("the first has everything", g.has("first", 2))
	first.outlaw()
	g.join("second", static)
	g.await("the second has everything", g.has("second", 2))
	g.await("the first has been told", func(ownership) bool { return first.fatal() != nil })
	if err := first.fatal(); !errors.Is(err, ErrFencedInstance) {
		t.Errorf("the first was told %v, want ErrFencedInstance", err)
	}
}

func TestNewPartitionsAndTopicsAreAssigned(t *testing.T) {
	g := newGroup(t, 2)
	later := g.topic + "-later"
	watch := func(cfg *GroupConfig) {
		cfg.TopicsInterval = 50 * time.Millisecond
		cfg.Topics = append(cfg.Topics, later)
	}
	g.join("ana", watch)
	g.join("bea", watch)
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
	g.grow(g.topic, 4)
	g.await("two each", g.has("ana", 2), g.has("bea", 2))
	g.create(later, 2)
	g.await("three each", g.has("ana", 3), g.has("bea", 3))
}

func TestRejoinTellsTheLeaderNews(t *testing.T) {
	g := newGroup(t, 2)
	var mu sync.Mutex
	var says []byte
	ana := g.join("ana", func(cfg *GroupConfig) {
		cfg.Assign = everythingToWhoeverWants{}
		cfg.UserData = func() []byte { mu.Lock(); defer mu.Unlock(); return says }
	})
	g.join("bea", func(cfg *GroupConfig) {
		cfg.Assign = everythingToWhoeverWants{}
		cfg.UserData = func() []byte { return []byte("a little") }
	})
	g.await("bea wants it", g.has("bea", 2))
	mu.Lock()
	says = []byte("very much")
	mu.Unlock()
	ana.Rejoin()
	g.await("ana wants it more", g.has("ana", 2), g.has("bea", 0))
}

func TestMemberOfAnotherProtocolIsRefused(t *testing.T) {
	g := newGroup(t, 2)
	g.join("ana")
	g.await("ana has everything", g.has("ana", 2))
	bob := g.join("bob", func(cfg *GroupConfig) { cfg.Assign = everythingToWhoeverWants{} })
	g.await("bob is refused", func(ownership) bool { return bob.fatal() != nil })
	if !hasCode(bob.fatal(), sarama.ErrInconsistentGroupProtocol) {
		t.Errorf("bob was told %v", bob.fatal())
	}
}

func TestMistakesInAGroupConfigAreToldAtOnce(t *testing.T) {
	g := newGroup(t, 1)
	m := g.client.Join(GroupConfig{})
	defer m.Leave(t.Context())
	r := <-m.Rebalances()
	if want := "kafka: group : GroupConfig.Group is empty: name the group\n" +
		"GroupConfig.Topics is empty: a member subscribes to something\n" +
		"GroupConfig.Assign is missing: any member may have to lead"; r.Err == nil || r.Err.Error() != want {
		t.Errorf("told %v, want %v", r.Err, want)
	}
}

func TestMembershipOutlivesTheBroker(t *testing.T) {
	g := newGroup(t, 2)
	ana := g.join("ana")
	g.await("ana has everything", g.has("ana", 2))
	ana.outlaw() // the broker may have forgotten her
	g.restartBroker()
	g.join("bea")
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
}

// Members come, go, fall silent and are expelled, in any order: nobody is ever given what another member has not let go of,
// and once it is quiet everyone has a fair share.
func TestGroupInTurmoil(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	const partitions = 12
	g := newGroup(t, partitions)
	var members []*testMember
	for i := range 20 {
		pick := func() *testMember { return members[dice.IntN(len(members))] }
		switch n := dice.IntN(6); {
		case len(members) < 2 || n < 2 && len(members) < 5:
			// kfake miscounts who has joined when a member goes while it waits for the leader, and then waits out this time.
			members = append(members, g.join(fmt.Sprint("member ", i), func(cfg *GroupConfig) { cfg.RebalanceTimeout = 2 * time.Second }))
		case n == 2:
			gone := pick()
			members = slices.DeleteFunc(members, func(m *testMember) bool { return m == gone })
			gone.leave()
		case n == 3:
			m := pick()
			m.outlaw()
			if ref := m.Ref(); ref.MemberID != "" {
				g.tryExpel(ref.MemberID)
			}
		case n == 4:
			pick().Rejoin()
		default:
			g.await("someone has something", func(now ownership) bool { return len(now) > 0 })
		}
	}
	var fair []func(ownership) bool
	for _, m := range members {
		fair = append(fair, func(now ownership) bool { return now.count(m.name) >= partitions/len(members) })
	}
	g.await("everyone has a fair share", append(fair, func(now ownership) bool { return len(now) == partitions })...)
}

// While the group waits for others to join, a member goes on and commits in the generation that it is in.
func TestMemberCommitsWhileOthersAreAwaited(t *testing.T) {
	g := newGroup(t, 2)
	ana := g.join("ana")
	bea := g.join("bea")
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
	resume := bea.pause()
	ana.Rejoin()
	g.awaitState("PreparingRebalance")
	if err := g.commit(ana.Ref(), 5); err != nil {
		t.Errorf("commit while bea is awaited: %v", err)
	}
	resume()
	g.awaitState("Stable")
}

func TestLeaveWhileJoining(t *testing.T) {
	g := newGroup(t, 2)
	ana := g.join("ana")
	g.await("ana has everything", g.has("ana", 2))
	ana.holdBack() // bea's first round goes by at once; her second waits for ana
	bea := g.join("bea")
	ana.heldBack()
	bea.leave()
}

func TestClosedClientEndsTheMembership(t *testing.T) {
	g := newGroup(t, 2)
	client := g.dial()
	ana := g.joinWith(client, "ana")
	g.await("ana has everything", g.has("ana", 2))
	client.Close()
	g.await("ana is told", func(ownership) bool { return errors.Is(ana.fatal(), ErrClosed) })
}

func TestAnyToolCanDescribeTheMembers(t *testing.T) {
	g := newGroup(t, 2)
	ana := g.join("ana")
	g.await("ana has everything", g.has("ana", 2))
	res := mustHave(askAny(t.Context(), g.client, (*sarama.Broker).DescribeGroups, &sarama.DescribeGroupsRequest{Version: 5, Groups: []string{g.name}}))(t)
	group := res.Groups[0]
	if group.ProtocolType != "consumer" || group.Protocol != "rio-tasks" || group.State != "Stable" {
		t.Errorf("described as %s, %s, %s", group.ProtocolType, group.Protocol, group.State)
	}
	member := group.Members[ana.Ref().MemberID]
	subscription := mustHave(member.GetMemberMetadata())(t)
	assignment := mustHave(member.GetMemberAssignment())(t)
	if !slices.Equal(subscription.Topics, []string{g.topic}) || len(assignment.Topics[g.topic]) != 2 {
		t.Errorf("subscription %+v, assignment %+v", subscription, assignment)
	}
}

// everythingToWhoeverWants gives all to the member with the longest user data.
type everythingToWhoeverWants struct{}

func (everythingToWhoeverWants) Name() string { return "whoever-wants" }

func (everythingToWhoeverWants) Assign(members []GroupMember, partitions map[string]int32) map[string]Assignment {
	keenest := slices.MaxFunc(members, func(a, b GroupMember) int { return len(a.UserData) - len(b.UserData) })
	var all []TopicPartition
	for topic, n := range partitions {
		for p := range n {
			all = append(all, TopicPartition{topic, p})
		}
	}
	return map[string]Assignment{keenest.ID: {Partitions: all}}
}

// --- a group under test -------------------------------------------------------------------------------------------------

// ownership is who owns each partition.
type ownership map[TopicPartition]string

// testGroup is a broker, a topic, and members whose owners do what they should: they write down what they own, and complain
// when they are given what someone else has not let go of.
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
	outlawed map[string]bool // members that were expelled and do not know it yet: what they own may be taken
}

// groupPatience is how long a test waits for what must happen; it is only ever waited out by a test that fails.
const groupPatience = 60 * time.Second

func newGroup(t *testing.T, partitions int32) *testGroup {
	g := &testGroup{t: t, dir: t.TempDir(), topic: "work", name: "group", changed: make(chan struct{}), owners: ownership{}, outlawed: map[string]bool{}}
	t.Cleanup(func() { goleak.VerifyNone(t) })
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
		Version: 4, Timeout: groupPatience,
		TopicDetails: map[string]*sarama.TopicDetail{topic: {NumPartitions: partitions, ReplicationFactor: 1}},
	}))(g.t)
	if err := codeError(res.TopicErrors[topic].Err); err != nil {
		g.t.Fatal(err)
	}
}

func (g *testGroup) grow(topic string, partitions int32) {
	res := mustHave(askAny(g.t.Context(), g.client, (*sarama.Broker).CreatePartitions, &sarama.CreatePartitionsRequest{
		Version: 1, Timeout: groupPatience, TopicPartitions: map[string]*sarama.TopicPartition{topic: {Count: partitions}},
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

// awaitState waits until the coordinator says that the group is in a state.
func (g *testGroup) awaitState(state string) {
	g.t.Helper()
	deadline := time.Now().Add(groupPatience)
	for {
		described, err := g.client.DescribeGroup(g.t.Context(), g.name)
		switch {
		case err != nil:
			g.t.Fatal(err)
		case described.State == state:
			return
		case time.Now().After(deadline):
			g.t.Fatalf("waited in vain until the group is %s; it is %s", state, described.State)
		}
	}
}

func (g *testGroup) commit(ref GroupRef, offset int64) error {
	req := &sarama.OffsetCommitRequest{Version: 7, ConsumerGroup: ref.Group, ConsumerGroupGeneration: ref.Generation, ConsumerID: ref.MemberID}
	req.AddBlockWithLeaderEpoch(g.topic, 0, offset, -1, 0, "")
	res := mustHave(askAny(g.t.Context(), g.client, (*sarama.Broker).CommitOffset, req))(g.t)
	return codeError(res.Errors[g.topic][0])
}

// await waits until all conditions hold at one moment.
func (g *testGroup) await(what string, conditions ...func(ownership) bool) {
	g.t.Helper()
	deadline := time.After(groupPatience)
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
			g.t.Fatalf("waited in vain until %s: %v", what, now)
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

// testMember is a membership and its owner.
type testMember struct {
	*Membership
	g    *testGroup
	name string
	done chan struct{} // the owner has seen the end

	// Guarded by g.mu.
	revoked, lost int
	left          bool
	err           error
	letGo         chan struct{} // not nil while the owner holds back

	held    chan Rebalance // what the owner was told while it holds back
	leaving sync.Once
}

func (g *testGroup) join(name string, more ...func(*GroupConfig)) *testMember {
	return g.joinWith(g.client, name, more...)
}

func (g *testGroup) joinWith(client *Client, name string, more ...func(*GroupConfig)) *testMember {
	cfg := GroupConfig{
		Group: g.name, Topics: []string{g.topic}, Assign: NewTaskAssignor(nil),
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

// own is the owner: it writes down what changes, and acknowledges everything.
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
		case owner != "" && !r.Lost:
			m.g.t.Errorf("%s was to release %v, which %s owns", m.name, tp, owner)
		}
	}
	for _, tp := range r.Added {
		switch owner := m.g.owners[tp]; {
		case owner == "" || m.g.outlawed[owner]:
			m.g.owners[tp] = m.name
		case !m.g.outlawed[m.name]: // else it is old news to a member that was expelled since
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

func (m *testMember) leave() {
	m.leaving.Do(func() {
		m.release()
		ctx, cancel := context.WithTimeout(context.Background(), groupPatience)
		defer cancel()
		// What is its own is let go of before the others can be given it.
		m.g.mu.Lock()
		m.left = true
		maps.DeleteFunc(m.g.owners, func(_ TopicPartition, owner string) bool { return owner == m.name })
		m.g.mu.Unlock()
		if err := m.Leave(ctx); err != nil && !errors.Is(err, ErrClosed) {
			m.g.t.Errorf("%s: %v", m.name, err)
		}
		<-m.done
	})
}

// holdBack keeps the owner from releasing what is revoked or lost; heldBack tells what that is.
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
	case <-time.After(groupPatience):
		m.g.t.Fatalf("waited in vain for %s to be told something", m.name)
		return Rebalance{}
	}
}

// pause takes the member's connections away, so that no heartbeat leaves, as if its process were stopped.
func (m *testMember) pause() (resume func()) {
	m.outlaw()
	var held []*conn
	for _, p := range []*pool{m.joins, m.beats} {
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
