package crashtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pause is how long a client waits before a retry.
const pause = 20 * time.Millisecond

// clientsLog is the log file of the clients.
var clientsLog io.Writer = io.Discard

// logClients makes the clients that a test creates from now on log to a file beside the broker's log.
func logClients(t *testing.T) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.ArtifactDir(), "clients.log"))
	if err != nil {
		t.Fatal(err)
	}
	clientsLog = file
	t.Cleanup(func() {
		clientsLog = io.Discard
		file.Close()
	})
}

// clientOptions configure a client that retries until ctx ends and reconnects soon after the broker is back.
func clientOptions(ctx context.Context, address string, opts ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{
		kgo.WithContext(ctx),
		kgo.SeedBrokers(address),
		kgo.Dialer(patientDialer(ctx)),
		kgo.WithLogger(kgo.BasicLogger(clientsLog, kgo.LogLevelInfo, func() string { return time.Now().Format("15:04:05.000 ") })),
		kgo.MetadataMinAge(pause),
		kgo.MetadataMaxAge(time.Second),
		kgo.RetryBackoffFn(func(int) time.Duration { return pause }),
		kgo.RequestRetries(math.MaxInt32),
		kgo.RetryTimeout(0), // never
		kgo.AlwaysRetryEOF(),
		kgo.UnknownTopicRetries(-1),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.FetchMaxWait(10 * pause),
	}, opts...)
}

func newClient(ctx context.Context, t *testing.T, address string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(clientOptions(ctx, address, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// patientDialer waits for a broker that is down until the client is closed. Otherwise the client would fail most kinds of
// requests when it cannot dial, and would retry some of them even after it was closed.
func patientDialer(life context.Context) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, startTimeout)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		var dialer net.Dialer
		again := time.NewTicker(pause)
		defer again.Stop()
		for {
			conn, err := dialer.DialContext(ctx, network, address)
			if !errors.Is(err, syscall.ECONNREFUSED) {
				return conn, err
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-again.C:
			}
		}
	}
}

// answers reports whether the broker lists itself in its metadata, which means that it is ready.
func answers(ctx context.Context, client *kgo.Client) bool {
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	return err == nil && len(resp.Brokers) > 0
}

// createTopic returns when the creation is acknowledged. It retries: an earlier attempt may have created the topic, and a
// broker that has just started may not have registered itself yet.
func createTopic(ctx context.Context, client *kgo.Client, topic string, partitions int32) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, partitions, 1
	req.Topics = append(req.Topics, t)
	for {
		resp, err := req.RequestWith(ctx, client)
		if err == nil {
			err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
		}
		switch err {
		case nil, kerr.TopicAlreadyExists:
			return nil
		case kerr.InvalidReplicationFactor:
		default:
			return fmt.Errorf("create topic %s: %w", topic, err)
		}
	}
}

// existing returns the existing topics with their numbers of partitions.
func existing(ctx context.Context, client *kgo.Client) (map[string]int, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // means all topics
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	topics := map[string]int{}
	for _, t := range resp.Topics {
		if t.Topic != nil && t.ErrorCode == 0 {
			topics[*t.Topic] = len(t.Partitions)
		}
	}
	return topics, nil
}

const (
	earliest int64 = -2
	latest   int64 = -1
)

// bounds returns the start or the end offset of each partition, as seen by a reader with the given isolation level.
func bounds(ctx context.Context, client *kgo.Client, level kgo.IsolationLevel, which int64, places []place) (map[place]int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	if level == kgo.ReadCommitted() {
		req.IsolationLevel = 1
	}
	for _, at := range places {
		t, p := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = at.partition, which
		t.Topic, t.Partitions = at.topic, append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	found := map[place]int64{}
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return nil, fmt.Errorf("list offsets: %w", shard.Err)
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("list offsets of %s/%d: %w", t.Topic, p.Partition, err)
				}
				found[place{t.Topic, p.Partition}] = p.Offset
			}
		}
	}
	return found, nil
}

// groupOffsets returns the committed offsets of a group in a topic. Partitions without one are missing.
func groupOffsets(ctx context.Context, client *kgo.Client, group, topic string) (map[place]int64, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	g, t := kmsg.NewOffsetFetchRequestGroup(), kmsg.NewOffsetFetchRequestGroupTopic()
	t.Topic = topic
	for _, at := range places(topic) {
		t.Partitions = append(t.Partitions, at.partition)
	}
	g.Group, g.Topics = group, append(g.Topics, t)
	req.Groups, req.RequireStable = append(req.Groups, g), true
	for {
		resp, err := req.RequestWith(ctx, client)
		if err != nil {
			return nil, fmt.Errorf("fetch offsets of %s: %w", group, err)
		}
		offsets, err := offsetsIn(resp.Groups[0])
		if err != kerr.UnstableOffsetCommit {
			return offsets, err
		}
	}
}

func offsetsIn(group kmsg.OffsetFetchResponseGroup) (map[place]int64, error) {
	offsets := map[place]int64{}
	if err := kerr.ErrorForCode(group.ErrorCode); err != nil && err != kerr.GroupIDNotFound {
		return nil, err
	}
	for _, t := range group.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, err
			}
			if p.Offset >= 0 {
				offsets[place{t.Topic, p.Partition}] = p.Offset
			}
		}
	}
	return offsets, nil
}
