package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// An OpenTransaction is a transaction that has not ended. It blocks readers of committed records in its partitions.
type OpenTransaction struct {
	TransactionalID string // empty if no coordinator knows it: such a transaction never ends by itself
	ProducerID      int64
	State           string    // Kafka's name: Ongoing, PrepareCommit, PrepareAbort
	Since           time.Time // when it began; if no coordinator knows it, when its last record was written
	Partitions      []TopicPartition
}

// String describes the transaction in one line.
func (t OpenTransaction) String() string {
	id := t.TransactionalID
	if id == "" {
		id = "(unknown to its coordinator)"
	}
	return fmt.Sprintf("transaction %s of producer %d, %s since %s, on %v", id, t.ProducerID, t.State, t.Since.UTC().Format(time.RFC3339), t.Partitions)
}

// offsetsTopic stores the committed offsets of groups, including those of transactions.
const offsetsTopic = "__consumer_offsets"

// OpenTransactions returns the open transactions that write to any of tps, or that commit offsets. It needs Kafka 3.0;
// on an older one it fails with ErrUnsupported.
func (c *Client) OpenTransactions(ctx context.Context, tps []TopicPartition) ([]OpenTransaction, error) {
	var found []OpenTransaction
	for _, addr := range c.addresses() {
		res, err := ask(ctx, c.shared.get(addr), (*sarama.Broker).ListTransactions,
			&sarama.ListTransactionsRequest{DurationFilter: -1, StateFilters: []string{"Ongoing", "PrepareCommit", "PrepareAbort"}})
		if err == nil {
			err = codeError(res.ErrorCode)
		}
		if err != nil {
			return nil, fmt.Errorf("kafka: open transactions: %w", err)
		}
		for _, t := range res.TransactionStates {
			open, err := c.describeTransaction(ctx, t.TransactionalID)
			if err != nil {
				return nil, fmt.Errorf("kafka: open transactions: %s: %w", t.TransactionalID, err)
			}
			known := slices.ContainsFunc(found, func(other OpenTransaction) bool { return other.TransactionalID == open.TransactionalID })
			if !known && slices.ContainsFunc(open.Partitions, func(tp TopicPartition) bool { return tp.Topic == offsetsTopic || slices.Contains(tps, tp) }) {
				found = append(found, open)
			}
		}
	}
	for _, tp := range tps {
		hanging, err := c.hangingTransactions(ctx, tp, found)
		if err != nil {
			return nil, fmt.Errorf("kafka: open transactions: %v: %w", tp, err)
		}
		found = append(found, hanging...)
	}
	return found, nil
}

func (c *Client) describeTransaction(ctx context.Context, id string) (open OpenTransaction, err error) {
	req := &sarama.DescribeTransactionsRequest{TransactionalIDs: []string{id}}
	err = askCoordinator(ctx, c, c.shared, coordinated{sarama.CoordinatorTransaction, id}, (*sarama.Broker).DescribeTransactions, req,
		func(res *sarama.DescribeTransactionsResponse) error {
			for _, t := range res.TransactionStates {
				if err := codeError(t.ErrorCode); err != nil {
					return err
				}
				open = OpenTransaction{id, t.ProducerID, t.TransactionState, time.UnixMilli(t.TransactionStartTime), nil}
				for _, topic := range t.Topics {
					for _, p := range topic.Partitions {
						open.Partitions = append(open.Partitions, TopicPartition{topic.Topic, p})
					}
				}
			}
			return nil
		})
	return open, err
}

// hangingTransactions returns the transactions that are open according to the leader of tp and are not in known.
func (c *Client) hangingTransactions(ctx context.Context, tp TopicPartition, known []OpenTransaction) (hanging []OpenTransaction, err error) {
	req := &sarama.DescribeProducersRequest{Topics: []sarama.DescribeProducersRequestTopic{{Name: tp.Topic, PartitionIndexes: []int32{tp.Partition}}}}
	err = c.askLeaders(ctx, []TopicPartition{tp}, func(addr string, _ []TopicPartition) (map[TopicPartition]error, error) {
		res, err := ask(ctx, c.shared.get(addr), (*sarama.Broker).DescribeProducers, req)
		if err != nil {
			return nil, err
		}
		for _, topic := range res.Topics {
			for _, p := range topic.Partitions {
				if err := codeErrorMessage(p.ErrorCode, p.ErrorMessage); err != nil {
					return map[TopicPartition]error{tp: err}, nil
				}
				for _, producer := range p.ActiveProducers {
					same := func(t OpenTransaction) bool { return t.ProducerID == producer.ProducerID }
					if producer.CurrentTxnStartOffset >= 0 && !slices.ContainsFunc(known, same) {
						hanging = append(hanging, OpenTransaction{"", producer.ProducerID, "open", time.UnixMilli(producer.LastTimestamp), []TopicPartition{tp}})
					}
				}
			}
		}
		return nil, nil
	})
	return hanging, err
}
