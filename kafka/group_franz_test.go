package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestAGroupWithOtherClients: the sticky assignor speaks the protocol cooperative-sticky, so that a member shares a group with
// clients of other makers, whoever of them leads, and neither has a partition that the other has not released.
//
// Proves: processes-share-the-work
func TestAGroupWithOtherClients(t *testing.T) {
	t.Run("Rio leads", func(t *testing.T) {
		t.Parallel()
		g := newGroup(t, 4)
		ana := g.join("ana")
		g.await("ana has everything", g.has("ana", 4))
		g.joinFranz("franz")
		g.await("two each", g.has("ana", 2), g.has("franz", 2))
		ana.leave()
		g.await("franz has everything", g.has("franz", 4))
	})
	t.Run("the other leads", func(t *testing.T) {
		t.Parallel()
		g := newGroup(t, 4)
		leave := g.joinFranz("franz")
		g.await("franz has everything", g.has("franz", 4))
		g.join("ana")
		g.await("two each", g.has("ana", 2), g.has("franz", 2))
		g.join("bea")
		g.await("all have some", func(now ownership) bool {
			return now.count("ana") > 0 && now.count("bea") > 0 && now.count("franz") > 0 && len(now) == 4
		})
		leave()
		g.await("two each", g.has("ana", 2), g.has("bea", 2))
	})
}

// joinFranz joins with franz-go, which notes what it is given and what it releases as other members do.
func (g *testGroup) joinFranz(name string) (leave func()) {
	g.t.Helper()
	m := &testMember{g: g, name: name}
	note := func(added bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			var r Rebalance
			for topic, numbers := range partitions {
				for _, p := range numbers {
					tp := TopicPartition{topic, p}
					if added {
						r.Added = append(r.Added, tp)
					} else {
						r.Revoked = append(r.Revoked, tp)
					}
				}
			}
			m.note(r)
		}
	}
	client := mustHave(kgo.NewClient(
		kgo.SeedBrokers(g.broker.Addr()), kgo.ConsumerGroup(g.name), kgo.ConsumeTopics(g.topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.HeartbeatInterval(20*time.Millisecond),
		kgo.OnPartitionsAssigned(note(true)), kgo.OnPartitionsRevoked(note(false)), kgo.OnPartitionsLost(note(false)),
	))(g.t)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for !client.PollFetches(context.Background()).IsClientClosed() {
		}
	}()
	leave = func() {
		client.Close()
		<-closed
	}
	g.t.Cleanup(leave)
	return leave
}
