package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// At is a position in a partition: one of the constants, or a time.
type At int64

const (
	// Latest is the end of the partition: the offset of the next record to be written.
	Latest At = -1
	// Earliest is the first offset that has not been deleted.
	Earliest At = -2
	// LatestStable is the end for readers of committed records: the first offset of the earliest open transaction, or
	// Latest.
	LatestStable At = -100
)

// Since is the first record with a timestamp not before t, or the end of the partition if there is none.
func Since(t time.Time) At { return At(t.UnixMilli()) }

// ParseAt returns the position that text names: "earliest", "latest", or a time since 1970 in the form of RFC 3339.
func ParseAt(text string) (At, error) {
	switch text {
	case "earliest":
		return Earliest, nil
	case "latest":
		return Latest, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UnixMilli() < 0 {
		return 0, fmt.Errorf("kafka: %q is not a position: want earliest, latest, or a time such as 2026-01-01T08:50:00Z", text)
	}
	return Since(t), nil
}

// String returns the name of the position, or the time.
func (at At) String() string {
	switch at {
	case Latest:
		return "latest"
	case Earliest:
		return "earliest"
	case LatestStable:
		return "latest stable"
	}
	return time.UnixMilli(int64(at)).UTC().Format(time.RFC3339)
}

// Offsets returns the offset of at in each of the partitions. It fails if any partition has an error, such as
// ErrUnknownTopic.
func (c *Client) Offsets(ctx context.Context, tps []TopicPartition, at At) (map[TopicPartition]int64, error) {
	if at < 0 && at != Latest && at != Earliest && at != LatestStable {
		return nil, fmt.Errorf("kafka: offsets at %d: not a time since 1970", at)
	}
	found, err := c.listOffsets(ctx, tps, at)
	if err != nil {
		return nil, fmt.Errorf("kafka: offsets at %v: %w", at, err)
	}
	// If no record is at or after the time, use the end.
	var after []TopicPartition
	for tp, offset := range found {
		if offset < 0 {
			after = append(after, tp)
		}
	}
	if len(after) == 0 {
		return found, nil
	}
	ends, err := c.listOffsets(ctx, after, Latest)
	if err != nil {
		return nil, fmt.Errorf("kafka: offsets at %v: %w", at, err)
	}
	for tp, offset := range ends {
		found[tp] = offset
	}
	return found, nil
}

// listOffsets asks the leader of each partition.
func (c *Client) listOffsets(ctx context.Context, tps []TopicPartition, at At) (map[TopicPartition]int64, error) {
	found := make(map[TopicPartition]int64, len(tps))
	err := c.askLeaders(ctx, tps, func(addr string, tps []TopicPartition) (map[TopicPartition]error, error) {
		req := &sarama.OffsetRequest{Version: 5}
		timestamp := int64(at)
		if at == LatestStable {
			req.IsolationLevel, timestamp = sarama.ReadCommitted, int64(Latest)
		}
		for _, tp := range tps {
			req.AddBlock(tp.Topic, tp.Partition, timestamp, 1)
		}
		res, err := ask(ctx, c.shared.get(addr), (*sarama.Broker).GetAvailableOffsets, req)
		if err != nil {
			return nil, err
		}
		errs := make(map[TopicPartition]error)
		for _, tp := range tps {
			block := res.GetBlock(tp.Topic, tp.Partition)
			switch {
			case block == nil:
				errs[tp] = fmt.Errorf("%w: the broker did not answer for this partition", ErrCorrupt)
			case block.Err != sarama.ErrNoError:
				errs[tp] = codeError(block.Err)
			default:
				found[tp] = block.Offset
			}
		}
		return errs, nil
	})
	return found, err
}

// askLeaders calls send for each leader of some of tps, and retries the partitions that failed, as long as their errors
// are retriable. send returns the partitions that failed, or an error for all.
func (c *Client) askLeaders(ctx context.Context, tps []TopicPartition,
	send func(addr string, tps []TopicPartition) (map[TopicPartition]error, error),
) error {
	left := tps
	return c.retry(ctx, func() error {
		for tp, err := range c.lookUp(ctx, left) {
			return fmt.Errorf("%v: %w", tp, err)
		}
		byLeader := make(map[string][]TopicPartition)
		for _, tp := range left {
			addr, _, err := c.knownLeader(tp)
			if err != nil {
				return fmt.Errorf("%v: %w", tp, err)
			}
			byLeader[addr] = append(byLeader[addr], tp)
		}
		left = nil
		var last error
		for addr, tps := range byLeader {
			errs, err := send(addr, tps)
			for _, tp := range tps {
				failure := err
				if failure == nil {
					failure = errs[tp]
				}
				if failure == nil {
					continue
				}
				left = append(left, tp)
				c.forgetLeader(tp)
				if last == nil || !retriable(failure) {
					last = fmt.Errorf("%v: %w", tp, failure)
				}
			}
		}
		return last
	})
}

// CommitOffsets commits offsets of a group outside of a transaction: as the member that ref names, or as an
// administrator if it names none. The latter fails with ErrUnknownMember while the group has members.
func (c *Client) CommitOffsets(ctx context.Context, ref GroupRef, offsets map[TopicPartition]CommittedOffset) error {
	if len(offsets) == 0 {
		return nil
	}
	req := &sarama.OffsetCommitRequest{
		Version: 7, ConsumerGroup: ref.Group, ConsumerGroupGeneration: ref.generation(),
		ConsumerID: ref.MemberID, GroupInstanceId: ref.instance(), RetentionTime: -1,
	}
	for tp, offset := range offsets {
		req.AddBlockWithLeaderEpoch(tp.Topic, tp.Partition, offset.Offset, -1, 0, offset.Metadata)
	}
	group := coordinated{sarama.CoordinatorGroup, ref.Group}
	err := askCoordinator(ctx, c, c.shared, group, (*sarama.Broker).CommitOffset, req, func(res *sarama.OffsetCommitResponse) error {
		return firstCode(res.Errors)
	})
	if err != nil {
		return fmt.Errorf("kafka: commit offsets of group %s: %w", ref.Group, err)
	}
	return nil
}

// firstCode returns one of the errors in an answer with a code for each partition. It prefers one that is not
// retriable.
func firstCode(codes map[string]map[int32]sarama.KError) error {
	var first error
	for topic, partitions := range codes {
		for partition, code := range partitions {
			if err := codeError(code); err != nil && (first == nil || !retriable(err)) {
				first = fmt.Errorf("%v: %w", TopicPartition{topic, partition}, err)
			}
		}
	}
	return first
}

// CommittedOffsets returns the committed offsets of a group: of tps, or of all partitions if tps is nil. A partition
// without one is not in the result. It waits, up to Config.RetryTimeout, for open transactions that may change the
// offsets, so the result is final until the next commit.
func (c *Client) CommittedOffsets(ctx context.Context, group string, tps []TopicPartition) (map[TopicPartition]CommittedOffset, error) {
	return c.committedOffsets(ctx, group, tps, true)
}

// PeekOffsets returns the committed offsets of all partitions of a group without waiting for open transactions, which
// may change them at any time.
func (c *Client) PeekOffsets(ctx context.Context, group string) (map[TopicPartition]CommittedOffset, error) {
	return c.committedOffsets(ctx, group, nil, false)
}

func (c *Client) committedOffsets(ctx context.Context, group string, tps []TopicPartition, stable bool) (map[TopicPartition]CommittedOffset, error) {
	var topics map[string][]int32 // nil requests all
	if tps != nil {
		topics = make(map[string][]int32)
		for _, tp := range tps {
			topics[tp.Topic] = append(topics[tp.Topic], tp.Partition)
		}
	}
	req := sarama.NewOffsetFetchRequest(sarama.V2_5_0_0, group, topics) // version 7
	req.RequireStable = stable
	found := make(map[TopicPartition]CommittedOffset)
	err := askCoordinator(ctx, c, c.shared, coordinated{sarama.CoordinatorGroup, group}, (*sarama.Broker).FetchOffset, req,
		func(res *sarama.OffsetFetchResponse) error { return addCommitted(res, found) })
	if err != nil {
		return nil, fmt.Errorf("kafka: committed offsets of group %s: %w", group, err)
	}
	return found, nil
}

// addCommitted adds the offsets of res to found.
func addCommitted(res *sarama.OffsetFetchResponse, found map[TopicPartition]CommittedOffset) error {
	if err := codeError(res.Err); err != nil && !errors.Is(err, ErrUnknownGroup) {
		return err
	}
	var errs []error
	for topic, partitions := range res.Blocks {
		for partition, block := range partitions {
			tp := TopicPartition{topic, partition}
			if err := codeError(block.Err); err != nil {
				errs = append(errs, fmt.Errorf("%v: %w", tp, err))
			} else if block.Offset >= 0 {
				found[tp] = CommittedOffset{Offset: block.Offset, Metadata: block.Metadata}
			}
		}
	}
	for _, err := range errs {
		if !retriable(err) {
			return err
		}
	}
	return errors.Join(errs...)
}
