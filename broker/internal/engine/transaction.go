package engine

import (
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// transaction is a transactional id and its transaction, if one is open.
type transaction struct {
	store.Transaction
}

func (t *transaction) ongoing() bool { return t.State == store.TransactionOngoing }

// has reports whether the open transaction has a partition.
func (t *transaction) has(id store.PartitionID) bool {
	return t.ongoing() && slices.Contains(t.Partitions, id)
}

const (
	// maxTransactionTimeout is Kafka's transaction.max.timeout.ms.
	maxTransactionTimeout = 15 * time.Minute

	// transactionRetention is how long an unused transactional id is remembered, Kafka's transactional.id.expiration.ms.
	transactionRetention = 7 * 24 * time.Hour

	// lastEpoch is the last epoch that a producer is given; the one after it is kept for fencing it.
	lastEpoch = math.MaxInt16 - 1

	none = -1
)

// initProducerID gives a producer its id and epoch. For a transactional one it ends what an older one has left open.
func (e *Engine) initProducerID(req *kmsg.InitProducerIDRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	e.do(func() {
		var err error
		if req.TransactionalID == nil {
			res.ProducerID, res.ProducerEpoch = e.newProducerID(), 0
		} else {
			res.ProducerID, res.ProducerEpoch, err = e.initTransactional(req)
		}
		if err != nil {
			res.ProducerID, res.ProducerEpoch, res.ErrorCode = none, none, code(err)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) newProducerID() int64 {
	id := e.counters.Producer
	e.counters.Producer++
	e.open.batch.SetCounters(e.counters)
	return id
}

func (e *Engine) initTransactional(req *kmsg.InitProducerIDRequest) (int64, int16, error) {
	timeout := time.Duration(req.TransactionTimeoutMillis) * time.Millisecond
	switch {
	case *req.TransactionalID == "":
		return none, none, kerr.InvalidRequest
	case (req.ProducerID < 0) != (req.ProducerEpoch < 0):
		return none, none, say(kerr.InvalidRequest, "a producer id and its epoch come together")
	case timeout <= 0 || timeout > maxTransactionTimeout:
		return none, none, kerr.InvalidTransactionTimeout
	}
	t := e.transactions[*req.TransactionalID]
	if t == nil {
		t = &transaction{store.Transaction{ID: *req.TransactionalID, Producer: e.newProducerID(), LastProducer: none, LastEpoch: none}}
		e.transactions[t.ID], e.producers[t.Producer] = t, t
		t.Timeout = req.TransactionTimeoutMillis
		e.putTransaction(t)
		return t.Producer, t.Epoch, nil
	}
	expected := req.ProducerEpoch
	if req.ProducerID >= 0 {
		repeated := t.LastEpoch >= 0 && req.ProducerID == t.LastProducer && expected == t.LastEpoch
		switch {
		case repeated && !t.ongoing():
			return t.Producer, t.Epoch, nil // the answer to this request was lost
		case req.ProducerID != t.Producer:
			return none, none, fenced(req.Version >= 4)
		case expected != t.Epoch:
			return none, none, fenced(req.Version >= 4)
		}
	}
	last, lastEpoch := t.Producer, t.Epoch
	if t.ongoing() {
		e.endTransaction(t, false, t.Epoch+1) // fences the older producer in its partitions
		t.Epoch++
	}
	e.nextEpoch(t)
	t.LastProducer, t.LastEpoch = none, none
	if req.ProducerID >= 0 {
		t.LastProducer, t.LastEpoch = last, lastEpoch
	}
	t.State, t.Timeout = store.TransactionEmpty, req.TransactionTimeoutMillis
	e.putTransaction(t)
	return t.Producer, t.Epoch, nil
}

// fenced is how a producer hears that another has taken its place.
func fenced(recent bool) error {
	if recent {
		return kerr.ProducerFenced
	}
	return kerr.InvalidProducerEpoch
}

// nextEpoch gives a transactional id a new epoch, or a new producer id when there are no more epochs.
func (e *Engine) nextEpoch(t *transaction) {
	if t.Epoch < lastEpoch {
		t.Epoch++
		return
	}
	delete(e.producers, t.Producer)
	t.Producer, t.Epoch = e.newProducerID(), 0
	e.producers[t.Producer] = t
}

func (e *Engine) putTransaction(t *transaction) {
	t.Updated = e.clock().UnixMilli()
	e.open.batch.SetTransaction(&t.Transaction)
}

// find returns the transactional id of a request if it is its producer's.
func (e *Engine) find(id string, producer int64, epoch int16, recent bool) (*transaction, error) {
	t := e.transactions[id]
	switch {
	case t == nil || t.Producer != producer:
		return nil, kerr.InvalidProducerIDMapping
	case t.Epoch != epoch:
		return nil, fenced(recent)
	}
	return t, nil
}

// begin opens a transaction unless one is open.
func (e *Engine) begin(t *transaction) {
	if !t.ongoing() {
		t.State, t.Started = store.TransactionOngoing, e.clock().UnixMilli()
	}
}

func (e *Engine) addPartition(t *transaction, id store.PartitionID) {
	e.begin(t)
	if !slices.Contains(t.Partitions, id) {
		t.Partitions = append(t.Partitions, id)
	}
	e.putTransaction(t)
}

func (e *Engine) addGroup(t *transaction, group string) {
	e.begin(t)
	if !slices.Contains(t.Groups, group) {
		t.Groups = append(t.Groups, group)
	}
	e.putTransaction(t)
}

// addPartitionsToTxn announces partitions that a transaction will write to: all of them, or none.
func (e *Engine) addPartitionsToTxn(req *kmsg.AddPartitionsToTxnRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	e.do(func() {
		t, err := e.find(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Version >= 2)
		unknown := false
		for _, rt := range req.Topics {
			for _, number := range rt.Partitions {
				unknown = unknown || e.topics[rt.Topic].partition(number) == nil
			}
		}
		for _, rt := range req.Topics {
			st := kmsg.NewAddPartitionsToTxnResponseTopic()
			st.Topic = rt.Topic
			for _, number := range rt.Partitions {
				sp := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
				sp.Partition = number
				p := e.topics[rt.Topic].partition(number)
				switch {
				case p == nil:
					sp.ErrorCode = kerr.UnknownTopicOrPartition.Code
				case unknown:
					sp.ErrorCode = kerr.OperationNotAttempted.Code
				case err != nil:
					sp.ErrorCode = code(err)
				default:
					e.addPartition(t, p.id)
				}
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

// addOffsetsToTxn announces that a transaction will commit offsets of a group.
func (e *Engine) addOffsetsToTxn(req *kmsg.AddOffsetsToTxnRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.AddOffsetsToTxnResponse)
	e.do(func() {
		t, err := e.find(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Version >= 2)
		if err == nil {
			e.addGroup(t, req.Group)
		}
		res.ErrorCode = code(err)
		e.answer(res, reply)
	})
}

// bumpVersion is the version of EndTxn from which the end of a transaction gives the producer a new epoch (KIP-890).
const bumpVersion = 5

// endTxn ends a transaction: markers, offsets and state in one step.
func (e *Engine) endTxn(req *kmsg.EndTxnRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.EndTxnResponse)
	e.do(func() {
		t, err := e.endOf(req)
		res.ErrorCode = code(err)
		if err == nil && req.Version >= bumpVersion {
			res.ProducerID, res.ProducerEpoch = t.Producer, t.Epoch
		}
		e.answer(res, reply)
	})
}

func (e *Engine) endOf(req *kmsg.EndTxnRequest) (*transaction, error) {
	t := e.transactions[req.TransactionalID]
	repeated := t != nil && req.Version >= bumpVersion && !t.ongoing() && req.ProducerEpoch >= 0 &&
		t.LastEpoch == req.ProducerEpoch && t.LastProducer == req.ProducerID
	switch {
	case repeated && t.endedWith(req.Commit):
		return t, nil // the answer to this request was lost
	case repeated && t.endedWith(!req.Commit):
		return nil, kerr.InvalidTxnState
	}
	t, err := e.find(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Version >= 2)
	switch {
	case err != nil:
		return nil, err
	case t.ongoing():
		e.finish(t, req.Commit, req.Version >= bumpVersion)
		return t, nil
	case req.Version >= bumpVersion && !req.Commit: // nothing was begun
		e.finish(t, false, true)
		return t, nil
	case req.Version < bumpVersion && t.endedWith(req.Commit):
		return t, nil
	}
	return nil, kerr.InvalidTxnState
}

func (t *transaction) endedWith(commit bool) bool {
	return commit && t.State == store.TransactionCommitted || !commit && t.State == store.TransactionAborted
}

// finish ends the open transaction as its producer wishes.
func (e *Engine) finish(t *transaction, commit, bump bool) {
	if !bump {
		e.endTransaction(t, commit, t.Epoch)
		return
	}
	last, epoch := t.Producer, t.Epoch
	e.endTransaction(t, commit, t.Epoch+1)
	e.nextEpoch(t)
	t.LastProducer, t.LastEpoch = last, epoch
	e.putTransaction(t)
}

// endTransaction writes everything that ends a transaction: a marker into each of its partitions, which carries epoch, and
// the offsets of its groups.
func (e *Engine) endTransaction(t *transaction, commit bool, epoch int16) {
	now := e.clock().UnixMilli()
	for _, id := range t.Partitions {
		if p := e.partitions[id]; p != nil { // its topic may have been deleted
			p.appendMarker(e.open, now, t.Producer, epoch, commit)
		}
	}
	for _, name := range t.Groups {
		if g := e.groups[name]; g != nil {
			e.endPending(g, t.Producer, commit)
		}
	}
	t.Partitions, t.Groups, t.Started = nil, nil, 0
	t.State = store.TransactionAborted
	if commit {
		t.State = store.TransactionCommitted
	}
	e.putTransaction(t)
}

// abortOverdue aborts transactions that are open for too long, and fences their producers.
func (e *Engine) abortOverdue(now time.Time) {
	for _, t := range e.transactions {
		if t.ongoing() && now.UnixMilli() >= t.Started+int64(t.Timeout) {
			e.log.Info("broker: a transaction took too long and is aborted", "transactional id", t.ID, "timeout ms", t.Timeout)
			e.endTransaction(t, false, t.Epoch+1)
			e.nextEpoch(t)
			t.LastProducer, t.LastEpoch = none, none
			e.putTransaction(t)
		}
	}
}

// forgetTransactions drops transactional ids that nobody has used for long.
func (e *Engine) forgetTransactions(now time.Time) {
	for id, t := range e.transactions {
		if !t.ongoing() && now.UnixMilli()-t.Updated > transactionRetention.Milliseconds() {
			delete(e.transactions, id)
			delete(e.producers, t.Producer)
			e.open.batch.DeleteTransaction(id)
		}
	}
}
