package kafka

import (
	"slices"
	"testing"
)

func TestSendAndPoll(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 2), 1}
	p := newProducer(t, c, ProducerConfig{})
	send(t, p, tp, "a", "b", "c")
	must(t, p.Flush(testContext(t)))
	if last, ok := p.LastOffset(tp); !ok || last != 2 {
		t.Errorf("LastOffset = %d, %v; want 2", last, ok)
	}
	values, next := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 1)
	if !slices.Equal(values, []string{"b", "c"}) || next != 3 {
		t.Errorf("read %v up to %d, want b and c up to 3", values, next)
	}
}

func TestTransactions(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("txn")})
	ctx := testContext(t)

	send(t, p, tp, "committed")
	must(t, p.Commit(ctx))
	send(t, p, tp, "aborted")
	must(t, p.Flush(ctx))
	must(t, p.Abort(ctx))
	must(t, p.Commit(ctx)) // empty
	send(t, p, tp, "committed too")
	must(t, p.Commit(ctx))
	send(t, p, tp, "open")
	must(t, p.Flush(ctx))

	values, next := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0)
	if !slices.Equal(values, []string{"committed", "committed too"}) || next != 6 {
		t.Errorf("read %q up to %d, want the committed values up to 6", values, next)
	}
	values, next = readToEnd(t, newFetcher(t, c, FetcherConfig{ReadUncommitted: true}), tp, 0)
	if !slices.Equal(values, []string{"committed", "aborted", "committed too", "open"}) || next != 7 {
		t.Errorf("uncommitted: read %q up to %d, want all up to 7", values, next)
	}
}
