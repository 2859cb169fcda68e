package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
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
		g.joinFranz("franz", kgo.CooperativeStickyBalancer())
		g.await("two each", g.has("ana", 2), g.has("franz", 2))
		ana.leave()
		g.await("franz has everything", g.has("franz", 4))
	})
	t.Run("the other leads", func(t *testing.T) {
		t.Parallel()
		g := newGroup(t, 4)
		leave := g.joinFranz("franz", kgo.CooperativeStickyBalancer())
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

// TestAGroupWithEagerClients: a member that also offers the range assignor shares a group with clients that have only that one,
// whoever leads. It releases its partitions before they can get them.
//
// Proves: processes-share-the-work
func TestAGroupWithEagerClients(t *testing.T) {
	for name, joinOther := range map[string]func(*testGroup, string) (leave func()){
		"franz-go": func(g *testGroup, name string) func() { return g.joinFranz(name, kgo.RangeBalancer()) },
		"sarama":   (*testGroup).joinSarama,
	} {
		t.Run(name+", Rio leads", func(t *testing.T) {
			t.Parallel()
			g := newGroup(t, 4)
			ana := g.join("ana", eitherWay)
			g.await("ana has everything", g.has("ana", 4))
			leave := joinOther(g, "other")
			g.await("two each", g.has("ana", 2), g.has("other", 2))
			leave()
			g.await("ana has everything again", g.has("ana", 4))
			joinOther(g, "other")
			g.await("two each again", g.has("ana", 2), g.has("other", 2))
			ana.leave()
			g.await("the other has everything", g.has("other", 4))
		})
		t.Run(name+" leads", func(t *testing.T) {
			t.Parallel()
			g := newGroup(t, 5)
			leave := joinOther(g, "other")
			g.await("the other has everything", g.has("other", 5))
			g.join("ana", eitherWay)
			g.await("both have some", func(now ownership) bool { return now.count("ana") >= 2 && now.count("other") >= 2 && len(now) == 5 })
			g.join("bea", eitherWay)
			g.await("all have some", func(now ownership) bool {
				return now.count("ana") > 0 && now.count("bea") > 0 && now.count("other") > 0 && len(now) == 5
			})
			leave()
			g.await("ana and bea share", func(now ownership) bool { return now.count("ana") >= 2 && now.count("bea") >= 2 && len(now) == 5 })
		})
	}
}

// TestAnEagerMemberAmongCooperativeClients: a member that offers both assignors joins clients that keep their partitions while
// the group rebalances.
func TestAnEagerMemberAmongCooperativeClients(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 6)
	g.join("ana")
	g.await("ana has everything", g.has("ana", 6))
	bea := g.join("bea", eitherWay)
	g.await("three each", g.has("ana", 3), g.has("bea", 3))
	leave := g.joinFranz("franz", kgo.CooperativeStickyBalancer())
	g.await("two each", g.has("ana", 2), g.has("bea", 2), g.has("franz", 2))
	bea.leave()
	g.await("three each again", g.has("ana", 3), g.has("franz", 3))
	leave()
	g.await("ana has everything again", g.has("ana", 6))
}

// joinFranz joins with franz-go, which notes what it is given and what it releases as other members do.
func (g *testGroup) joinFranz(name string, balancer kgo.GroupBalancer) (leave func()) {
	g.t.Helper()
	m := &testMember{g: g, name: name}
	added := func(_ context.Context, _ *kgo.Client, tps map[string][]int32) { m.note(Rebalance{Added: listed(tps)}) }
	revoked := func(_ context.Context, _ *kgo.Client, tps map[string][]int32) {
		m.note(Rebalance{Revoked: listed(tps)})
	}
	client := mustHave(kgo.NewClient(
		kgo.SeedBrokers(g.broker.Addr()), kgo.ConsumerGroup(g.name), kgo.ConsumeTopics(g.topic),
		kgo.Balancers(balancer), kgo.HeartbeatInterval(20*time.Millisecond),
		kgo.OnPartitionsAssigned(added), kgo.OnPartitionsRevoked(revoked), kgo.OnPartitionsLost(revoked),
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

// joinSarama joins with sarama and its range assignor.
func (g *testGroup) joinSarama(name string) (leave func()) {
	g.t.Helper()
	conf := sarama.NewConfig()
	conf.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	conf.Consumer.Group.Heartbeat.Interval = 20 * time.Millisecond
	conf.Consumer.Offsets.AutoCommit.Enable = false
	conf.Metadata.RefreshFrequency = 0
	conf.MetricRegistry = noMetrics{}
	silenceFetchMeter(g.topic)
	consumer := mustHave(sarama.NewConsumerGroup([]string{g.broker.Addr()}, g.name, conf))(g.t)
	ctx, cancel := context.WithCancel(context.Background())
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for ctx.Err() == nil {
			if err := consumer.Consume(ctx, []string{g.topic}, saramaOwner{&testMember{g: g, name: name}}); err != nil && ctx.Err() == nil {
				g.t.Errorf("%s: %v", name, err)
				return
			}
		}
	}()
	leave = func() {
		cancel()
		<-closed
		if err := consumer.Close(); err != nil {
			g.t.Errorf("%s: %v", name, err)
		}
	}
	g.t.Cleanup(leave)
	return leave
}

// A saramaOwner notes what a session of sarama owns.
type saramaOwner struct{ member *testMember }

func (o saramaOwner) Setup(s sarama.ConsumerGroupSession) error {
	o.member.note(Rebalance{Added: listed(s.Claims())})
	return nil
}

func (o saramaOwner) Cleanup(s sarama.ConsumerGroupSession) error {
	o.member.note(Rebalance{Revoked: listed(s.Claims())})
	return nil
}

func (o saramaOwner) ConsumeClaim(s sarama.ConsumerGroupSession, _ sarama.ConsumerGroupClaim) error {
	<-s.Context().Done()
	return nil
}

func listed(topics map[string][]int32) (tps []TopicPartition) {
	for topic, partitions := range topics {
		for _, p := range partitions {
			tps = append(tps, TopicPartition{topic, p})
		}
	}
	return tps
}
