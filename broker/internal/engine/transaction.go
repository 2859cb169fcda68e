package engine

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

// transactional returns the state of a transactional id. An unknown one accepts only an initialization.
func (e *Engine) transactional(id string) *transaction.Transaction {
	if t := e.transactions[id]; t != nil {
		return t
	}
	return transaction.New(id, e.newProducerID)
}

// onTransaction calls do for a transactional id, and writes the resulting changes into the open commit.
func (e *Engine) onTransaction(t *transaction.Transaction, do func(now time.Time) (transaction.Ending, error)) error {
	before := t.Producer().ID
	now := e.clock()
	ending, err := do(now)
	e.writeEnding(&ending, now.UnixMilli())
	if changed, ok := t.Unsaved(); ok {
		e.open.batch.SetTransaction(&changed)
	}
	if after := t.Producer().ID; after != before {
		delete(e.producers, before)
		e.producers[after] = t
	}
	return err
}

// writeEnding writes the end of a transaction: a marker into each of its partitions, and the offsets of its groups.
func (e *Engine) writeEnding(end *transaction.Ending, now int64) {
	for _, id := range end.Partitions {
		if p := e.partitions[store.PartitionID(id)]; p != nil { // nil if the topic was deleted
			p.appendMarker(e.open, now, end.Producer.ID, end.Producer.Epoch, end.Commit)
		}
	}
	for _, name := range end.Groups {
		if g := e.groups[name]; g != nil {
			e.endPending(g, end.Producer.ID, end.Commit)
		}
	}
}

// initProducerID returns a producer's id and epoch. For a transactional id it aborts the open transaction of an older
// producer.
func (e *Engine) initProducerID(req *kmsg.InitProducerIDRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	e.do(func() {
		var err error
		p := transaction.NoProducer
		if req.TransactionalID == nil {
			p = transaction.Producer{ID: e.newProducerID()}
		} else {
			p, err = e.initTransactional(req)
		}
		res.ProducerID, res.ProducerEpoch, res.ErrorCode = p.ID, p.Epoch, code(err)
		e.answer(res, reply)
	})
}

func (e *Engine) newProducerID() int64 {
	id := e.counters.Producer
	e.counters.Producer++
	e.open.batch.SetCounters(e.counters)
	return id
}

func (e *Engine) initTransactional(req *kmsg.InitProducerIDRequest) (transaction.Producer, error) {
	t := e.transactional(*req.TransactionalID)
	expected := transaction.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}
	timeout := time.Duration(req.TransactionTimeoutMillis) * time.Millisecond
	err := e.onTransaction(t, func(now time.Time) (transaction.Ending, error) {
		return t.Init(now, expected, timeout, transaction.Dialect{KnowsFencing: req.Version >= 4})
	})
	if err != nil {
		return transaction.NoProducer, err
	}
	e.transactions[t.ID()] = t
	return t.Producer(), nil
}

// batchedAdds is the version of AddPartitionsToTxn from which it holds several transactions. Only brokers use it.
const batchedAdds = 4

// addPartitionsToTxn adds partitions to a transaction: all of them, or none.
func (e *Engine) addPartitionsToTxn(req *kmsg.AddPartitionsToTxnRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	e.do(func() {
		d := transaction.Dialect{KnowsFencing: req.Version >= 2, KnowsAbort: req.Version >= batchedAdds}
		if req.Version >= batchedAdds {
			for _, rt := range req.Transactions {
				st := kmsg.NewAddPartitionsToTxnResponseTransaction()
				st.TransactionalID, st.Topics = rt.TransactionalID, e.addToTransaction(rt, d)
				res.Transactions = append(res.Transactions, st)
			}
			e.answer(res, reply)
			return
		}
		one := kmsg.NewAddPartitionsToTxnRequestTransaction()
		one.TransactionalID, one.ProducerID, one.ProducerEpoch = req.TransactionalID, req.ProducerID, req.ProducerEpoch
		for _, rt := range req.Topics {
			one.Topics = append(one.Topics, kmsg.AddPartitionsToTxnRequestTransactionTopic{Topic: rt.Topic, Partitions: rt.Partitions})
		}
		for _, topic := range e.addToTransaction(one, d) {
			st := kmsg.NewAddPartitionsToTxnResponseTopic()
			st.Topic = topic.Topic
			for _, p := range topic.Partitions {
				sp := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
				sp.Partition, sp.ErrorCode = p.Partition, p.ErrorCode
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

// addToTransaction adds partitions to one transaction, or only verifies that they are part of it.
func (e *Engine) addToTransaction(req kmsg.AddPartitionsToTxnRequestTransaction, d transaction.Dialect) (topics []kmsg.AddPartitionsToTxnResponseTransactionTopic) {
	var partitions []transaction.Partition
	unknown := false
	for _, rt := range req.Topics {
		for _, number := range rt.Partitions {
			if p := e.topics[rt.Topic].partition(number); p != nil {
				partitions = append(partitions, transaction.Partition(p.id))
			} else {
				unknown = true
			}
		}
	}
	t, producer := e.transactional(req.TransactionalID), transaction.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}
	all := error(kerr.OperationNotAttempted)
	if !unknown && !req.VerifyOnly {
		all = e.addPartitions(t, producer, partitions, d)
	}
	for _, rt := range req.Topics {
		st := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
		st.Topic = rt.Topic
		for _, number := range rt.Partitions {
			sp := kmsg.NewAddPartitionsToTxnResponseTransactionTopicPartition()
			err := all
			switch p := e.topics[rt.Topic].partition(number); {
			case p == nil:
				err = kerr.UnknownTopicOrPartition
			case !unknown && req.VerifyOnly:
				err = t.Has(producer, transaction.Partition(p.id), d)
			}
			sp.Partition, sp.ErrorCode = number, code(err)
			st.Partitions = append(st.Partitions, sp)
		}
		topics = append(topics, st)
	}
	return topics
}

func (e *Engine) addPartitions(t *transaction.Transaction, p transaction.Producer, partitions []transaction.Partition, d transaction.Dialect) error {
	return e.onTransaction(t, func(now time.Time) (transaction.Ending, error) {
		return transaction.Ending{}, t.AddPartitions(now, p, partitions, d)
	})
}

// addOffsetsToTxn adds a group to a transaction that will commit its offsets.
func (e *Engine) addOffsetsToTxn(req *kmsg.AddOffsetsToTxnRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.AddOffsetsToTxnResponse)
	e.do(func() {
		producer := transaction.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}
		res.ErrorCode = code(e.addGroup(e.transactional(req.TransactionalID), producer, req.Group, transaction.Dialect{KnowsFencing: req.Version >= 2}))
		e.answer(res, reply)
	})
}

func (e *Engine) addGroup(t *transaction.Transaction, p transaction.Producer, group string, d transaction.Dialect) error {
	return e.onTransaction(t, func(now time.Time) (transaction.Ending, error) {
		return transaction.Ending{}, t.AddGroup(now, p, group, d)
	})
}

// endTxn ends a transaction: it writes markers, offsets and state atomically.
func (e *Engine) endTxn(req *kmsg.EndTxnRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.EndTxnResponse)
	e.do(func() {
		t := e.transactional(req.TransactionalID)
		producer := transaction.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}
		d := transaction.Dialect{KnowsFencing: req.Version >= 2, Second: req.Version >= 5}
		err := e.onTransaction(t, func(now time.Time) (transaction.Ending, error) { return t.End(now, producer, req.Commit, d) })
		res.ErrorCode = code(err)
		if err == nil && d.Second {
			res.ProducerID, res.ProducerEpoch = t.Producer().ID, t.Producer().Epoch
		}
		e.answer(res, reply)
	})
}

// abortOverdue aborts transactions that have timed out, and fences their producers.
func (e *Engine) abortOverdue(now time.Time) {
	for _, t := range e.transactions {
		if t.Overdue(now) {
			e.log.Info("broker: transaction timed out, aborting it", "transactional id", t.ID(), "timeout ms", t.Snapshot().Timeout)
			_ = e.onTransaction(t, func(now time.Time) (transaction.Ending, error) { return t.TimeOut(now), nil })
		}
	}
}

// forgetTransactions deletes transactional ids that have not been used for long.
func (e *Engine) forgetTransactions(now time.Time) {
	for id, t := range e.transactions {
		if t.Expired(now) {
			delete(e.transactions, id)
			delete(e.producers, t.Producer().ID)
			e.open.batch.DeleteTransaction(id)
		}
	}
}
