package engine

import (
	"cmp"
	"regexp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

func (e *Engine) describeTransactions(req *kmsg.DescribeTransactionsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
	e.do(func() {
		for _, id := range req.TransactionalIDs {
			st := kmsg.NewDescribeTransactionsResponseTransactionState()
			st.TransactionalID, st.StartTimestamp = id, -1
			if t := e.transactions[id]; id == "" {
				st.ErrorCode = kerr.InvalidRequest.Code
			} else if t == nil {
				st.ErrorCode = kerr.TransactionalIDNotFound.Code
			} else {
				e.describeTransaction(&st, t.Snapshot())
			}
			res.TransactionStates = append(res.TransactionStates, st)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) describeTransaction(st *kmsg.DescribeTransactionsResponseTransactionState, t transaction.Snapshot) {
	st.State, st.TimeoutMillis, st.ProducerID, st.ProducerEpoch = t.State.String(), t.Timeout, t.Producer.ID, t.Producer.Epoch
	if t.State == transaction.Ongoing {
		st.StartTimestamp = t.Started
	}
	byTopic := make(map[string][]int32)
	for name, tp := range e.topics {
		for _, id := range t.Partitions {
			if id.Topic == tp.Number {
				byTopic[name] = append(byTopic[name], id.Partition)
			}
		}
	}
	for name, partitions := range byTopic {
		tt := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
		slices.Sort(partitions)
		tt.Topic, tt.Partitions = name, partitions
		st.Topics = append(st.Topics, tt)
	}
	slices.SortFunc(st.Topics, func(a, b kmsg.DescribeTransactionsResponseTransactionStateTopic) int {
		return cmp.Compare(a.Topic, b.Topic)
	})
}

// transactionStates are all states of Kafka, including those that do not occur here.
var transactionStates = []string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "PrepareEpochFence", "Dead"}

func (e *Engine) listTransactions(req *kmsg.ListTransactionsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.ListTransactionsResponse)
	pattern, err := regexp.Compile("^(?:" + orEmpty(req.TransactionalIDPattern) + ")$")
	if err != nil {
		res.ErrorCode = kerr.InvalidRegularExpression.Code
		reply(res)
		return
	}
	anyID := orEmpty(req.TransactionalIDPattern) == ""
	for _, filter := range req.StateFilters {
		if !slices.Contains(transactionStates, filter) {
			res.UnknownStateFilters = append(res.UnknownStateFilters, filter)
		}
	}
	e.do(func() {
		now := e.clock().UnixMilli()
		for id, machine := range e.transactions {
			t := machine.Snapshot()
			listed := (len(req.StateFilters) == 0 || slices.Contains(req.StateFilters, t.State.String())) &&
				(anyID || pattern.MatchString(id)) &&
				(len(req.ProducerIDFilters) == 0 || slices.Contains(req.ProducerIDFilters, t.Producer.ID)) &&
				(req.Version < 1 || req.DurationFilterMillis < 0 || t.State == transaction.Ongoing && now-t.Started > req.DurationFilterMillis)
			if listed {
				st := kmsg.NewListTransactionsResponseTransactionState()
				st.TransactionalID, st.ProducerID, st.TransactionState = id, t.Producer.ID, t.State.String()
				res.TransactionStates = append(res.TransactionStates, st)
			}
		}
		slices.SortFunc(res.TransactionStates, func(a, b kmsg.ListTransactionsResponseTransactionState) int {
			return cmp.Compare(a.TransactionalID, b.TransactionalID)
		})
		e.answer(res, reply)
	})
}

func (e *Engine) describeProducers(req *kmsg.DescribeProducersRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.DescribeProducersResponse)
	e.do(func() {
		for _, rt := range req.Topics {
			st := kmsg.NewDescribeProducersResponseTopic()
			st.Topic = rt.Topic
			for _, number := range rt.Partitions {
				sp := kmsg.NewDescribeProducersResponseTopicPartition()
				sp.Partition = number
				if p := e.topics[rt.Topic].partition(number); p == nil {
					sp.ErrorCode = kerr.UnknownTopicOrPartition.Code
				} else {
					sp.ActiveProducers = activeProducers(p)
				}
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

func activeProducers(p *partition) (list []kmsg.DescribeProducersResponseTopicPartitionActiveProducer) {
	for id, known := range p.producers {
		a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		a.ProducerID, a.ProducerEpoch, a.CoordinatorEpoch = id, int32(known.Epoch), known.CoordinatorEpoch
		a.LastSequence, a.LastTimestamp, a.CurrentTxnStartOffset = -1, known.Written, known.Transaction
		if n := len(known.Batches); n > 0 {
			a.LastSequence, a.LastTimestamp = known.Batches[n-1].LastSequence, known.Batches[n-1].Timestamp
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b kmsg.DescribeProducersResponseTopicPartitionActiveProducer) int {
		return cmp.Compare(a.ProducerID, b.ProducerID)
	})
	return list
}

// producerRetention is how long an inactive producer is remembered, Kafka's producer.id.expiration.ms.
const producerRetention = 24 * time.Hour

// forgetProducers forgets inactive producers in all partitions.
func (e *Engine) forgetProducers(now time.Time) {
	for _, p := range e.partitions {
		for id, known := range p.producers {
			if known.Transaction < 0 && now.UnixMilli()-known.Written > producerRetention.Milliseconds() {
				delete(p.producers, id)
				e.open.batch.DeleteProducer(p.id, id)
			}
		}
	}
}

func (e *Engine) describeLogDirs(req *kmsg.DescribeLogDirsRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	dir := kmsg.NewDescribeLogDirsResponseDir()
	dir.Dir = e.db.Dir()
	if total, free, ok := e.db.Room(); ok {
		dir.TotalBytes, dir.UsableBytes = total, free
	}
	r, err := e.db.NewReader()
	if err != nil {
		dir.ErrorCode = kerr.KafkaStorageError.Code
		res.Dirs = append(res.Dirs, dir)
		return res
	}
	defer r.Close()
	wantedPartitions := make(map[string][]int32)
	for _, rt := range req.Topics {
		wantedPartitions[rt.Topic] = append(wantedPartitions[rt.Topic], rt.Partitions...)
	}
	for _, t := range e.catalog.Load().sorted() {
		wanted, named := wantedPartitions[t.Name]
		if req.Topics != nil && !named {
			continue
		}
		dt := kmsg.NewDescribeLogDirsResponseDirTopic()
		dt.Topic = t.Name
		for i, p := range t.partitions {
			if req.Topics != nil && !slices.Contains(wanted, int32(i)) {
				continue
			}
			dp := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
			dp.Partition, dp.Size = int32(i), retained(r, p)
			dt.Partitions = append(dt.Partitions, dp)
		}
		dir.Topics = append(dir.Topics, dt)
	}
	res.Dirs = append(res.Dirs, dir)
	return res
}

// retained returns the size of a partition in bytes, from its first segment on. Bytes that compaction has removed still
// count.
func retained(r *store.Reader, p *partition) int64 {
	stored, err := r.Partition(p.id)
	if err != nil {
		return 0
	}
	for first, err := range r.Segments(p.id) { // only the first is needed
		if err != nil {
			return 0
		}
		return stored.Size - first.Position
	}
	return stored.Size - stored.Segment.Position
}
