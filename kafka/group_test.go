package kafka

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

func TestMembersShareTheWork(t *testing.T) {
	t.Parallel()
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
		t.Errorf("ana released %d partitions, want 3 for bea and 1 for cid", n)
	}
	if n := cid.revokedTimes(); n != 0 {
		t.Errorf("cid released %d partitions when bea left", n)
	}
}

// Proves: one-owner-at-a-time
func TestNothingIsGivenAwayBeforeItIsReleased(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2)
	ana := g.join("ana", func(cfg *GroupConfig) { cfg.SessionTimeout = time.Second })
	g.await("ana has everything", g.has("ana", 2))

	release := ana.holdBack()
	bea := g.join("bea")
	revoked := ana.heldBack()
	if len(revoked.Revoked) != 1 || revoked.Lost {
		t.Fatalf("ana got the rebalance %+v, want one revoked partition", revoked)
	}
	generation := ana.Ref().Generation
	// ana processes records for longer than the session timeout; her heartbeats keep her in the group.
	select {
	case <-ana.ended:
	case <-time.After(1200 * time.Millisecond):
	}
	if ana.Ref().Generation != generation || bea.owns() > 0 {
		t.Fatalf("generation %d changed to %d, and bea owns %d", generation, ana.Ref().Generation, bea.owns())
	}
	release()
	g.await("bea has what ana released", g.has("ana", 1), g.has("bea", 1))
}

// A member with an eager assignor releases everything before each rebalance, because the next leader may not know what it owns.
//
// Proves: one-owner-at-a-time
func TestAnEagerMemberReleasesEverythingFirst(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2)
	ana := g.join("ana", eitherWay)
	g.await("ana has everything", g.has("ana", 2))

	release := ana.holdBack()
	bea := g.join("bea", func(cfg *GroupConfig) { cfg.Assignors = []Assignor{NewRangeAssignor()} })
	if revoked := ana.heldBack(); len(revoked.Revoked) != 2 || revoked.Lost {
		t.Fatalf("ana got the rebalance %+v, want both partitions revoked", revoked)
	}
	g.awaitState("PreparingRebalance")
	if bea.owns() > 0 {
		t.Errorf("bea owns %d partitions that ana has not released", bea.owns())
	}
	release()
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
}

// A member that was expelled while its owner releases partitions joins again only after that: otherwise the owner could commit
// them in the new generation, although other members have continued.
//
// Proves: zombie-changes-nothing
func TestAMemberExpelledWhileItReleasesCannotCommit(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2)
	g.join("ana", eitherWay)
	bea := g.join("bea", eitherWay)
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
	first := bea.Ref()

	release := bea.holdBack()
	bea.Rejoin()
	bea.heldBack()
	bea.outlaw()
	g.expel(first.MemberID)
	g.await("ana has everything", g.has("ana", 2))
	select {
	case <-bea.ended:
	case <-time.After(100 * time.Millisecond): // heartbeats tell that bea is expelled
	}
	if err := g.commit(bea.Ref(), 7); !errors.Is(err, ErrUnknownMember) {
		t.Errorf("commit before the release: %v, want ErrUnknownMember", err)
	}
	release()
	g.await("bea is back", g.has("ana", 1), g.has("bea", 1))
}

// The group uses the first assignor that all members offer.
func TestTheGroupAgreesOnAnAssignor(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 4)
	g.join("ana", eitherWay)
	g.join("bea", eitherWay)
	uses := func(want string) {
		t.Helper()
		described := mustHave(g.client.DescribeGroup(t.Context(), g.name))(t)
		if described.Protocol != want {
			t.Errorf("the group uses %q, want %q", described.Protocol, want)
		}
	}
	g.await("two each", g.has("ana", 2), g.has("bea", 2))
	uses("cooperative-sticky")
	cid := g.join("cid", func(cfg *GroupConfig) { cfg.Assignors = []Assignor{NewRangeAssignor()} })
	g.await("all have some", func(now ownership) bool { return now.count("cid") > 0 && len(now) == 4 })
	uses("range")
	cid.leave()
	g.await("two each", g.has("ana", 2), g.has("bea", 2))
	uses("cooperative-sticky")
}

func TestSilentMemberIsLostAndComesBack(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	g := newGroup(t, 4)
	g.join("ana")
	bea := g.join("bea")
	g.await("two each", g.has("ana", 2), g.has("bea", 2))
	first := bea.Ref()

	release := bea.holdBack()
	bea.outlaw()
	g.expel(first.MemberID)
	if r := bea.heldBack(); !r.Lost || len(r.Revoked) != 2 {
		t.Fatalf("bea got the rebalance %+v, want that both her partitions are lost", r)
	}
	g.await("ana has everything while bea has not let go", g.has("ana", 4))
	if bea.Ref() != first {
		t.Errorf("Ref of bea is %+v, want the lost %+v", bea.Ref(), first)
	}
	release()
	g.await("bea is back", g.has("ana", 2), g.has("bea", 2))
	if bea.Ref().MemberID == first.MemberID {
		t.Error("bea has the same member id as before she was expelled")
	}
}

// Proves: zombie-changes-nothing
func TestZombieCannotCommit(t *testing.T) {
	t.Parallel()
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
		t.Errorf("commit in an old generation: %v, want ErrIllegalGeneration", err)
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
	t.Parallel()
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
		t.Errorf("ana released %d partitions for bea, who was only away for a moment", n)
	}
}

func TestStaticMemberThatResignsLeavesAtOnce(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 4)
	g.join("ana")
	bea := g.join("bea", func(cfg *GroupConfig) { cfg.InstanceID = "instance-b" })
	g.await("two each", g.has("ana", 2), g.has("bea", 2))
	bea.leaveBy(bea.Resign)
	g.await("ana has everything", g.has("ana", 4))
}

func TestSecondProcessWithTheSameInstanceFencesTheFirst(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2)
	static := func(cfg *GroupConfig) { cfg.InstanceID = "instance-a" }
	first := g.join("first", static)
	g.await("the first has everything", g.has("first", 2))
	first.outlaw()
	g.join("second", static)
	g.await("the second has everything", g.has("second", 2))
	g.await("the first has been told", func(ownership) bool { return first.fatal() != nil })
	if err := first.fatal(); !errors.Is(err, ErrFencedInstance) {
		t.Errorf("the first got %v, want ErrFencedInstance", err)
	}
}

func TestNewPartitionsAndTopicsAreAssigned(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	g := newGroup(t, 2)
	var mu sync.Mutex
	var says []byte
	ana := g.join("ana", func(cfg *GroupConfig) {
		cfg.Assignors = []Assignor{everythingToWhoeverWants{}}
		cfg.UserData = func() []byte { mu.Lock(); defer mu.Unlock(); return says }
	})
	g.join("bea", func(cfg *GroupConfig) {
		cfg.Assignors = []Assignor{everythingToWhoeverWants{}}
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
	bob := g.join("bob", func(cfg *GroupConfig) { cfg.Assignors = []Assignor{everythingToWhoeverWants{}} })
	g.await("bob is refused", func(ownership) bool { return bob.fatal() != nil })
	if !hasCode(bob.fatal(), sarama.ErrInconsistentGroupProtocol) {
		t.Errorf("bob got %v", bob.fatal())
	}
	if want := "no assignor that this one has (whoever-wants)"; !strings.Contains(bob.fatal().Error(), want) {
		t.Errorf("bob got %v, want it to say %q", bob.fatal(), want)
	}
}

func TestMistakesInAGroupConfigAreToldAtOnce(t *testing.T) {
	g := newGroup(t, 1)
	m := g.client.Join(GroupConfig{})
	defer m.Leave(t.Context())
	r := <-m.Rebalances()
	if want := "kafka: group : GroupConfig.Group is empty: name the group\n" +
		"GroupConfig.Topics is empty: name at least one topic\n" +
		"GroupConfig.Assignors is empty: any member may become the leader"; r.Err == nil || r.Err.Error() != want {
		t.Errorf("got %v, want %v", r.Err, want)
	}
}

func TestAssignorsOfTheSameNameAreRefused(t *testing.T) {
	g := newGroup(t, 1)
	ana := g.join("ana", func(cfg *GroupConfig) { cfg.Assignors = []Assignor{NewRangeAssignor(), NewRangeAssignor()} })
	g.await("ana is told", func(ownership) bool { return ana.fatal() != nil })
	if err := ana.fatal(); !strings.Contains(err.Error(), "two assignors called range") {
		t.Errorf("ana got %v", err)
	}
}

func TestMembershipOutlivesTheBroker(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2)
	ana := g.join("ana")
	g.await("ana has everything", g.has("ana", 2))
	ana.outlaw() // the broker may have removed her
	g.restartBroker()
	g.join("bea")
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
}

// Members join, leave, stop sending heartbeats and are expelled, in random order. No member ever gets a partition that
// another has not released, and in the end every member has a fair share.
//
// Proves: one-owner-at-a-time
func TestGroupInTurmoil(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
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
			// kfake counts joined members incorrectly when a member leaves while it waits for the leader, and then
			// waits for this timeout.
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

// While the group waits for others to join, a member continues and commits in its generation.
func TestMemberCommitsWhileOthersAreAwaited(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2)
	ana := g.join("ana")
	bea := g.join("bea")
	g.await("one each", g.has("ana", 1), g.has("bea", 1))
	resume := bea.pause()
	ana.Rejoin()
	g.awaitState("PreparingRebalance")
	if err := g.commit(ana.Ref(), 5); err != nil {
		t.Errorf("commit while the group waits for bea: %v", err)
	}
	resume()
	g.awaitState("Stable")
}

func TestLeaveWhileJoining(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2)
	ana := g.join("ana")
	g.await("ana has everything", g.has("ana", 2))
	ana.holdBack() // bea's first rebalance ends at once; her second waits for ana
	bea := g.join("bea")
	ana.heldBack()
	bea.leave()
}

func TestClosedClientEndsTheMembership(t *testing.T) {
	t.Parallel()
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
	if group.ProtocolType != "consumer" || group.Protocol != "cooperative-sticky" || group.State != "Stable" {
		t.Errorf("described as %s, %s, %s", group.ProtocolType, group.Protocol, group.State)
	}
	member := group.Members[ana.Ref().MemberID]
	subscription := mustHave(member.GetMemberMetadata())(t)
	assignment := mustHave(member.GetMemberAssignment())(t)
	if !slices.Equal(subscription.Topics, []string{g.topic}) || len(assignment.Topics[g.topic]) != 2 {
		t.Errorf("subscription %+v, assignment %+v", subscription, assignment)
	}
}

// everythingToWhoeverWants assigns everything to the member with the longest user data.
type everythingToWhoeverWants struct{}

func (everythingToWhoeverWants) Name() string      { return "whoever-wants" }
func (everythingToWhoeverWants) Cooperative() bool { return true }

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
