package crashtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// transformer reads the input. For each record it writes one record to each partition of output and one to audit, in
// transactions that contain the offsets of the input.
type transformer struct {
	*load
	name   string
	random *rand.Rand
	begun  int // transactions
}

// run runs transactions. It continues with a new client when the outcome of a transaction is unknown.
func (w *transformer) run(ctx context.Context) {
	defer w.leave(w.name)
	for ctx.Err() == nil {
		session, err := w.join(ctx)
		if err != nil {
			if ctx.Err() == nil {
				w.find("%s: cannot begin: %v", w.name, err)
			}
			return
		}
		for err == nil && w.pass(ctx, w.name, 0, func() {}) {
			err = w.transform(ctx, session)
		}
		session.Close()
	}
}

// join makes a new client. It returns when the broker has ended the open transaction of the same transactional id, if any.
func (w *transformer) join(ctx context.Context) (*kgo.GroupTransactSession, error) {
	session, err := kgo.NewGroupTransactSession(clientOptions(ctx, w.address,
		kgo.TransactionalID(w.name), kgo.TransactionTimeout(time.Minute), kgo.ProducerLinger(0),
		kgo.ConsumerGroup(transforming), kgo.ConsumeTopics(input), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(heartbeats), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return nil, err
	}
	if _, _, err := session.Client().ProducerID(ctx); err != nil {
		session.Close()
		return nil, err
	}
	return session, nil
}

// transform runs one transaction. If it returns an error, the outcome is unknown.
func (w *transformer) transform(ctx context.Context, session *kgo.GroupTransactSession) error {
	poll, cancel := context.WithTimeout(ctx, 10*pause)
	fetches := session.PollRecords(poll, 1+w.random.IntN(20))
	cancel()
	w.complain(w.name, fetches)
	sources := fetches.Records()
	if len(sources) == 0 {
		return nil
	}
	if err := session.Begin(); err != nil {
		return err
	}
	id := fmt.Sprintf("%s-%d", w.name, w.begun)
	w.begun++
	w.note(func() { w.outcomes[id] = unknown })

	end := kgo.TransactionEndTry(w.random.IntN(4) > 0)
	if !w.write(ctx, session.Client(), id, sources) {
		end = kgo.TryAbort
	}
	done, err := session.End(ctx, end)
	if err != nil {
		return err
	}
	w.ended(id, done, len(sources))
	// After an abort the client may delay the request for a new epoch, which ends the transaction.
	_, _, err = session.Client().ProducerID(ctx)
	return err
}

// write sends the records, sometimes in several requests, and reports whether all were acknowledged.
func (w *transformer) write(ctx context.Context, client *kgo.Client, id string, sources []*kgo.Record) bool {
	var failed atomic.Bool
	for source := range slices.Values(sources) {
		value := fmt.Appendf(nil, "%d %d %d", len(sources), source.Partition, source.Offset)
		for _, to := range places(output, audit) {
			client.Produce(ctx, &kgo.Record{Topic: to.topic, Partition: to.partition, Key: []byte(id), Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					failed.Store(true)
				}
			})
		}
		if w.random.IntN(5) == 0 {
			_ = client.Flush(ctx)
		}
	}
	return client.Flush(ctx) == nil && !failed.Load()
}

func (w *transformer) ended(id string, done bool, sources int) {
	w.note(func() {
		if !done {
			w.outcomes[id] = aborted
			return
		}
		w.outcomes[id] = committed
		w.work += sources
		w.transformed += sources
	})
}

// written is a parsed record of the output.
type written struct {
	transaction string
	of          int // number of records of the transaction in each partition
	source      place
	offset      int64 // in the source
}

func parseWritten(key, value string) (written, error) {
	w := written{transaction: key, source: place{topic: input}}
	if n, err := fmt.Sscanf(value, "%d %d %d", &w.of, &w.source.partition, &w.offset); n != 3 || err != nil {
		return w, errors.Join(fmt.Errorf("%.40q is not a record of a transformer", value), err)
	}
	return w, nil
}
