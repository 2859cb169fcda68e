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

// transformer reads the input and writes, for each record of it, one into each partition of the output and one into the
// audit, in transactions that carry the offsets of the input.
type transformer struct {
	*load
	name   string
	random *rand.Rand
	begun  int // transactions
}

// run begins anew with another client whenever it does not know how a transaction ended.
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

// join returns when the broker has ended whatever transaction was left under the name.
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

// transform runs one transaction. An error means that it is not known how it ended.
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
	// After an abort the client may have put off asking for another epoch, which is what ends the transaction.
	_, _, err = session.Client().ProducerID(ctx)
	return err
}

// write sends the records, at times in several requests, and reports whether all were acknowledged.
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

// written is a record of the output as the transformer wrote it.
type written struct {
	transaction string
	of          int // how many records the transaction has in each partition
	source      place
	offset      int64 // in the source
}

func parseWritten(key, value string) (written, error) {
	w := written{transaction: key, source: place{topic: input}}
	if n, err := fmt.Sscanf(value, "%d %d %d", &w.of, &w.source.partition, &w.offset); n != 3 || err != nil {
		return w, errors.Join(fmt.Errorf("%.40q is not what a transformer writes", value), err)
	}
	return w, nil
}
