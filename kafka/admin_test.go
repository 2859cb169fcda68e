package kafka

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTopics(t *testing.T) {
	c := dial(t, testBrokers(t))
	ctx := testContext(t)
	a, b := unique("a"), unique("b")
	must(t, c.CreateTopics(ctx,
		TopicSpec{Name: b, Partitions: 3, Replicas: 1},
		TopicSpec{Name: a, Partitions: 1, Config: map[string]string{"cleanup.policy": "compact"}}))

	topics, err := c.DescribeTopics(ctx, b, a, unique("none"))
	must(t, err)
	if len(topics) != 2 || topics[0].Name != a || topics[1].Name != b || len(topics[1].Partitions) != 3 {
		t.Errorf("described %+v", topics)
	}
	for i, p := range topics[1].Partitions {
		if p.Partition != int32(i) || p.Leader < 0 || len(p.Replicas) != 1 || len(p.InSync) != 1 {
			t.Errorf("partition %d: %+v", i, p)
		}
	}
	all, err := c.Topics(ctx)
	must(t, err)
	if !slices.ContainsFunc(all, func(topic Topic) bool { return topic.Name == a }) {
		t.Errorf("%s is not among %v", a, all)
	}
	if n, err := c.Partitions(ctx, b); n != 3 || err != nil {
		t.Errorf("Partitions = %d, %v", n, err)
	}
	if _, err := c.Partitions(ctx, unique("none")); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("Partitions of no topic: %v", err)
	}

	fresh := unique("fresh")
	err = c.CreateTopics(ctx, TopicSpec{Name: a, Partitions: 1}, TopicSpec{Name: fresh, Partitions: 1})
	if !errors.Is(err, ErrTopicExists) || !strings.Contains(err.Error(), a) {
		t.Errorf("CreateTopics again: %v", err)
	}
	if topics, err := c.DescribeTopics(ctx, fresh); err != nil || len(topics) != 1 {
		t.Errorf("the topic that could be created: %v, %v", topics, err)
	}

	must(t, c.DeleteTopics(ctx, a))
	if err := c.DeleteTopics(ctx, a); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("DeleteTopics again: %v", err)
	}
}

func TestTopicConfig(t *testing.T) {
	c := dial(t, testBrokers(t))
	ctx := testContext(t)
	topic := makeTopic(t, c, 1)
	must(t, c.AlterTopicConfig(ctx, topic, map[string]string{"retention.ms": "1234"}))
	must(t, c.AlterTopicConfig(ctx, topic, map[string]string{"cleanup.policy": "compact"}))
	config, err := c.TopicConfig(ctx, topic)
	if err != nil || config["retention.ms"] != "1234" || config["cleanup.policy"] != "compact" {
		t.Errorf("TopicConfig: %v, %v", config, err)
	}
	if config["max.message.bytes"] == "" {
		t.Error("TopicConfig does not return the defaults")
	}
	if _, err := c.TopicConfig(ctx, unique("none")); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("TopicConfig of no topic: %v", err)
	}
}

func TestRefusedSettings(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	topic := makeTopic(t, c, 1)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidConfig})
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.IncrementalAlterConfigs}, Err: kerr.InvalidConfig})
	bad := map[string]string{"cleanup.policy": "sometimes"}
	if err := c.CreateTopics(testContext(t), TopicSpec{Name: "bad", Config: bad}); !errors.Is(err, ErrRefused) {
		t.Errorf("CreateTopics: %v, want ErrRefused", err)
	}
	if err := c.AlterTopicConfig(testContext(t), topic, bad); !errors.Is(err, ErrRefused) {
		t.Errorf("AlterTopicConfig: %v, want ErrRefused", err)
	}
}

func TestCheckTopicNames(t *testing.T) {
	must(t, CheckTopicNames("localizacao-veiculos", "a.b_c-D9", strings.Repeat("x", 249)))
	err := CheckTopicNames("localização-veículos", "", ".", "..", "a b", strings.Repeat("x", 250))
	if !errors.Is(err, ErrInvalidTopic) || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("got %v, want six mistakes", err)
	}
	if !strings.Contains(err.Error(), `"localização-veículos": Kafka allows only ASCII letters, digits, '.', '_' and '-'`) {
		t.Errorf("got %v", err)
	}
	c := dial(t, testBrokers(t))
	if err := c.CreateTopics(testContext(t), TopicSpec{Name: "água"}); !errors.Is(err, ErrInvalidTopic) {
		t.Errorf("CreateTopics: %v", err)
	}
}

func TestOffsets(t *testing.T) {
	c := dial(t, testBrokers(t))
	ctx := testContext(t)
	tp := TopicPartition{makeTopic(t, c, 2), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("txn")})
	for _, at := range []int64{1000, 2000, 3000} {
		must(t, p.Send(tp.Topic, 0, Record{Timestamp: at, Value: []byte("x")}))
	}
	must(t, p.Commit(ctx)) // offsets 0 to 2, then a transaction marker
	must(t, p.Send(tp.Topic, 0, Record{Timestamp: 4000}))
	must(t, p.Flush(ctx)) // an open transaction
	for _, test := range []struct {
		at   At
		want int64
	}{
		{Earliest, 0},
		{Latest, 5},
		{LatestStable, 4},
		{Since(time.UnixMilli(0)), 0},
		{Since(time.UnixMilli(1001)), 1},
		{Since(time.UnixMilli(3000)), 2},
		{Since(time.Now().Add(time.Hour)), 5},
	} {
		got, err := c.Offsets(ctx, []TopicPartition{tp, {tp.Topic, 1}}, test.at)
		if err != nil || got[tp] != test.want || got[TopicPartition{tp.Topic, 1}] != 0 || len(got) != 2 {
			t.Errorf("%v: %v, %v; want %d", test.at, got, err, test.want)
		}
	}
	must(t, p.Abort(ctx))
	must(t, c.DeleteRecords(ctx, map[TopicPartition]int64{tp: 2}))
	if got, err := c.Offsets(ctx, []TopicPartition{tp}, Earliest); err != nil || got[tp] != 2 {
		t.Errorf("after DeleteRecords: %v, %v", got, err)
	}
	if _, err := c.Offsets(ctx, []TopicPartition{{tp.Topic, 9}}, Latest); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("of a partition that does not exist: %v", err)
	}
	if err := c.DeleteRecords(ctx, map[TopicPartition]int64{tp: 99}); !errors.Is(err, ErrOffsetOutOfRange) {
		t.Errorf("DeleteRecords beyond the end: %v", err)
	}
}

func TestOffsetsAfterFaults(t *testing.T) {
	t.Parallel()
	cluster, w := wiredCluster(t, kfake.NumBrokers(2))
	c := dial(t, cluster.ListenAddrs())
	topic := makeTopic(t, c, 4)
	tps := []TopicPartition{{topic, 0}, {topic, 1}, {topic, 2}, {topic, 3}}
	for i := range 4 {
		cluster.ShufflePartitionLeaders()
		w.loseAnswers(kmsg.ListOffsets, i)
		if got, err := c.Offsets(testContext(t), tps, Latest); err != nil || len(got) != 4 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestGroupAdmin(t *testing.T) {
	c := dial(t, testBrokers(t))
	ctx := testContext(t)
	topic := makeTopic(t, c, 2)
	p := newProducer(t, c, ProducerConfig{})
	send(t, p, TopicPartition{topic, 0}, "a", "b", "c")
	must(t, p.Flush(ctx))
	name := unique("group")
	group := GroupRef{Group: name}
	must(t, c.CommitOffsets(ctx, group, map[TopicPartition]CommittedOffset{{topic, 0}: {Offset: 1, Metadata: "note"}, {topic, 1}: {Offset: 0}}))

	groups, err := c.Groups(ctx)
	must(t, err)
	if !slices.ContainsFunc(groups, func(g GroupListing) bool { return g.Name == name && g.State == "Empty" }) {
		t.Errorf("%s is not among %v", name, groups)
	}
	got, err := c.DescribeGroup(ctx, name)
	must(t, err)
	want := &GroupDescription{Name: name, State: "Empty", Protocol: got.Protocol, Partitions: []PartitionLag{
		{TopicPartition: TopicPartition{topic, 0}, Committed: 1, Metadata: "note", End: 3, Lag: 2},
		{TopicPartition: TopicPartition{topic, 1}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("described %+v, want %+v", got, want)
	}

	must(t, c.DeleteGroupOffsets(ctx, name, []TopicPartition{{topic, 1}}))
	if offsets, err := c.CommittedOffsets(ctx, name, nil); err != nil || len(offsets) != 1 {
		t.Errorf("after DeleteGroupOffsets: %v, %v", offsets, err)
	}
	must(t, c.DeleteGroup(ctx, name))
	if err := c.DeleteGroup(ctx, name); !errors.Is(err, ErrUnknownGroup) {
		t.Errorf("DeleteGroup again: %v", err)
	}
	if offsets, err := c.CommittedOffsets(ctx, name, nil); err != nil || len(offsets) != 0 {
		t.Errorf("of a deleted group: %v, %v", offsets, err)
	}
	if got, err := c.DescribeGroup(ctx, name); err != nil || got.State != "Dead" {
		t.Errorf("a deleted group: %+v, %v", got, err)
	}
}

func TestCommitOffsetsErrors(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	for _, test := range []struct {
		err  *kerr.Error
		want error
	}{
		{kerr.UnknownMemberID, ErrUnknownMember},
		{kerr.IllegalGeneration, ErrIllegalGeneration},
		{kerr.RebalanceInProgress, ErrRebalanceInProgress},
		{kerr.FencedInstanceID, ErrFencedInstance},
		{kerr.CoordinatorLoadInProgress, nil},
		{kerr.NotCoordinator, nil},
	} {
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: test.err})
		err := c.CommitOffsets(testContext(t), GroupRef{Group: "g"}, map[TopicPartition]CommittedOffset{tp: {Offset: 1}})
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.err.Message, err, test.want)
		}
	}
}

func TestControllerMoves(t *testing.T) {
	t.Parallel()
	cluster, w := wiredCluster(t, kfake.NumBrokers(2))
	c := dial(t, cluster.ListenAddrs())
	for i, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.IncrementalAlterConfigs, kmsg.DeleteTopics} {
		topic := makeTopic(t, c, 1)
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.NotController, Count: 2})
		w.loseAnswers(kmsg.Metadata, 1)
		other := unique(fmt.Sprint("other", i))
		must(t, c.CreateTopics(testContext(t), TopicSpec{Name: other, Partitions: 1}))
		must(t, c.AlterTopicConfig(testContext(t), topic, map[string]string{"retention.ms": "1"}))
		must(t, c.DeleteTopics(testContext(t), topic))
	}
}

// Proves: call-ends-with-its-context
func TestOperationsEndWithTheirContext(t *testing.T) {
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	for _, key := range []kmsg.Key{
		kmsg.Metadata, kmsg.ListOffsets, kmsg.FindCoordinator, kmsg.CreateTopics, kmsg.ListGroups, kmsg.DescribeConfigs, kmsg.InitProducerID,
	} {
		w.keepSilent(key, true)
	}
	for name, call := range map[string]func(context.Context) error{
		"Topics":           func(ctx context.Context) error { _, err := c.Topics(ctx); return err },
		"Offsets":          func(ctx context.Context) error { _, err := c.Offsets(ctx, []TopicPartition{tp}, Latest); return err },
		"CommittedOffsets": func(ctx context.Context) error { _, err := c.CommittedOffsets(ctx, "g", nil); return err },
		"CreateTopics":     func(ctx context.Context) error { return c.CreateTopics(ctx, TopicSpec{Name: "x"}) },
		"Groups":           func(ctx context.Context) error { _, err := c.Groups(ctx); return err },
		"DescribeGroup":    func(ctx context.Context) error { _, err := c.DescribeGroup(ctx, "g"); return err },
		"TopicConfig":      func(ctx context.Context) error { _, err := c.TopicConfig(ctx, "x"); return err },
		"NewProducer":      func(ctx context.Context) error { _, err := c.NewProducer(ctx, ProducerConfig{}); return err },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "kafka: ") {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// If the response to a request was lost, the retry succeeds, although its effect already exists.
func TestLostAnswersOfAdmin(t *testing.T) {
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	ctx := testContext(t)
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.DeleteGroups, kmsg.OffsetCommit, kmsg.OffsetDelete, kmsg.DeleteRecords} {
		w.loseAnswers(key, 1)
	}
	topic := makeTopic(t, c, 1)
	tp := TopicPartition{topic, 0}
	must(t, c.CommitOffsets(ctx, GroupRef{Group: "g"}, map[TopicPartition]CommittedOffset{tp: {Offset: 0}}))
	must(t, c.DeleteRecords(ctx, map[TopicPartition]int64{tp: 0}))
	must(t, c.DeleteGroupOffsets(ctx, "g", []TopicPartition{tp}))
	must(t, c.CommitOffsets(ctx, GroupRef{Group: "g"}, map[TopicPartition]CommittedOffset{tp: {Offset: 0}}))
	must(t, c.DeleteGroup(ctx, "g"))
	must(t, c.DeleteTopics(ctx, topic))
	if w.lost != 6 {
		t.Errorf("%d responses were lost, want 6", w.lost)
	}
}

// TestParseAt: the text of a position is parsed as the same position; other texts are errors.
func TestParseAt(t *testing.T) {
	for _, at := range []At{Earliest, Latest, Since(time.UnixMilli(0)), Since(time.Date(2026, 1, 1, 8, 50, 0, 0, time.UTC))} {
		if got, err := ParseAt(at.String()); got != at || err != nil {
			t.Errorf("%v is parsed as %v, %v", at, got, err)
		}
	}
	for _, text := range []string{"", "ontem", "17", "latest stable", "1969-12-31T23:59:59Z"} {
		if at, err := ParseAt(text); err == nil {
			t.Errorf("%q is parsed as %v", text, at)
		}
	}
}
