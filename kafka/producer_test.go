package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
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
	if last, ok := p.LastOffset(TopicPartition{tp.Topic, 0}); ok {
		t.Errorf("LastOffset = %d of a partition to which nothing was sent", last)
	}
	values, next := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 1)
	if !slices.Equal(values, []string{"b", "c"}) || next != 3 {
		t.Errorf("read %v up to %d, want b and c up to 3", values, next)
	}
}

// Records are read as they were sent, whatever the compression: null and empty differ, headers keep their order.
func TestRecordsComeBackAsTheyWere(t *testing.T) {
	c := dial(t, testBrokers(t))
	sent := []Record{
		{Timestamp: 0, Key: nil, Value: nil},
		{Timestamp: 1_760_000_000_123, Key: []byte{}, Value: []byte{}},
		{Timestamp: 1_760_000_000_100, Key: []byte("localização"), Value: bytes.Repeat([]byte("x"), 5000)},
		{Timestamp: time.Now().UnixMilli(), Headers: []Header{{"b", []byte("1")}, {"a", nil}, {"b", []byte{}}}},
	}
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			tp := TopicPartition{makeTopic(t, c, 1), 0}
			p := newProducer(t, c, ProducerConfig{Compression: compression})
			for _, r := range sent {
				must(t, p.Send(tp.Topic, tp.Partition, r))
			}
			must(t, p.Flush(testContext(t)))
			f := newFetcher(t, c, FetcherConfig{})
			f.Add(tp, 0)
			got, err := f.Poll(testContext(t))
			must(t, err)
			if len(got) != 1 || len(got[0].Records) != len(sent) {
				t.Fatalf("got %+v", got)
			}
			for i, r := range got[0].Records {
				want := sent[i]
				want.Offset = int64(i)
				if fmt.Sprintf("%#v", r) != fmt.Sprintf("%#v", want) {
					t.Errorf("record %d: got %#v, want %#v", i, r, want)
				}
			}
		})
	}
}

// The bytes of a record may be reused as soon as Send returns.
//
// Proves: send-copies
func TestSendCopies(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{BatchBytes: 1000})
	buffer := make([]byte, 100)
	var want []string
	for i := range 1000 {
		value := fmt.Appendf(buffer[:0], "value %d", i)
		want = append(want, string(value))
		must(t, p.Send(tp.Topic, tp.Partition, Record{Value: value}))
	}
	must(t, p.Flush(testContext(t)))
	if got, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); !slices.Equal(got, want) {
		t.Errorf("got %d values, which differ from those sent", len(got))
	}
}

func TestManyPartitionsOnSeveralBrokers(t *testing.T) {
	t.Parallel()
	c := dial(t, fakeCluster(t, kfake.NumBrokers(3)).ListenAddrs())
	topic := makeTopic(t, c, 20)
	p := newProducer(t, c, ProducerConfig{TransactionalID: "many", BatchBytes: 300})
	ctx := testContext(t)
	for round := range 5 {
		for i := range 1000 {
			send(t, p, TopicPartition{topic, int32(i % 20)}, fmt.Sprint(round, i))
		}
		must(t, p.Commit(ctx))
	}
	f := newFetcher(t, c, FetcherConfig{})
	for partition := range int32(20) {
		values, _ := readToEnd(t, f, TopicPartition{topic, partition}, 0)
		var want []string
		for round := range 5 {
			for i := int(partition); i < 1000; i += 20 {
				want = append(want, fmt.Sprint(round, i))
			}
		}
		if !slices.Equal(values, want) {
			t.Errorf("partition %d has %d values, want %d in their order", partition, len(values), len(want))
		}
	}
}

func TestLostAnswersOfBatches(t *testing.T) {
	t.Parallel()
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{})
	w.loseAnswers(kmsg.Produce, 3)
	send(t, p, tp, "a", "b")
	must(t, p.Flush(testContext(t)))
	send(t, p, tp, "c")
	must(t, p.Flush(testContext(t)))
	if w.lost != 3 {
		t.Fatalf("%d responses were lost, want 3", w.lost)
	}
	if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); !slices.Equal(values, []string{"a", "b", "c"}) {
		t.Errorf("read %q, want each once", values)
	}
}

// Proves: unknown-outcome-is-said
func TestBatchWhoseAnswerNeverComes(t *testing.T) {
	t.Parallel()
	cluster, w := wiredCluster(t)
	c, err := Dial(testContext(t), Config{Brokers: cluster.ListenAddrs(), RetryTimeout: 50 * time.Millisecond})
	must(t, err)
	defer c.Close()
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	w.loseAnswers(kmsg.Produce, math.MaxInt)
	send(t, p, tp, "a")
	if err := p.Flush(testContext(t)); !errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("Flush: %v, want ErrOutcomeUnknown", err)
	}
	// The producer no longer knows its next sequence number.
	if err := p.Abort(testContext(t)); !errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("Abort: %v, want ErrOutcomeUnknown", err)
	}
	w.loseAnswers(kmsg.Produce, 0)
	p = newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	send(t, p, tp, "a")
	must(t, p.Commit(testContext(t)))
	if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); !slices.Equal(values, []string{"a"}) {
		t.Errorf("read %q, want a once", values)
	}
}

func TestMovedLeader(t *testing.T) {
	t.Parallel()
	cluster := fakeCluster(t, kfake.NumBrokers(2))
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{})
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(tp, 0)
	for i := range 6 {
		must(t, cluster.MoveTopicPartition(tp.Topic, tp.Partition, int32(i%2)))
		send(t, p, tp, fmt.Sprint(i))
		must(t, p.Flush(testContext(t)))
		if got := pollRecords(t, f, 1); string(got[0].Value) != fmt.Sprint(i) {
			t.Fatalf("read %q after %d moves", got[0].Value, i+1)
		}
	}
}

func TestRetriableErrorsOfBatches(t *testing.T) {
	t.Parallel()
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	for _, e := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut,
		kerr.KafkaStorageError, kerr.UnknownTopicOrPartition,
	} {
		faults := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 2})
		send(t, p, tp, e.Message)
		if err := p.Commit(testContext(t)); err != nil {
			t.Errorf("%s: %v", e.Message, err)
		}
		if faults.Hits() != 2 {
			t.Errorf("%s: %d responses, want 2", e.Message, faults.Hits())
		}
	}
	values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0)
	if len(values) != 6 {
		t.Errorf("read %q, want each once", values)
	}
}

func TestErrorsThatStopAProducer(t *testing.T) {
	for _, test := range []struct {
		err  *kerr.Error
		want error
		goes bool // continue after Abort
	}{
		{kerr.InvalidProducerEpoch, ErrFenced, false},
		{kerr.OutOfOrderSequenceNumber, ErrProducerState, false},
		{kerr.InvalidTxnState, ErrProducerState, false},
		{kerr.TopicAuthorizationFailed, ErrNotAuthorized, true},
		{kerr.InvalidTopicException, ErrInvalidTopic, true},
	} {
		t.Run(test.err.Message, func(t *testing.T) {
			cluster := fakeCluster(t)
			c := dial(t, cluster.ListenAddrs())
			tp := TopicPartition{makeTopic(t, c, 1), 0}
			p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: test.err})
			send(t, p, tp, "refused")
			err := p.Commit(testContext(t))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), "produce "+tp.String()) {
				t.Fatalf("Commit: %v; want %v with topic and partition", err, test.want)
			}
			if again := p.Send(tp.Topic, 0, Record{}); again == nil {
				t.Error("Send succeeded after an error")
			}
			if err := p.Abort(testContext(t)); (err == nil) != test.goes {
				t.Fatalf("Abort: %v", err)
			}
			if !test.goes {
				return
			}
			send(t, p, tp, "accepted")
			must(t, p.Commit(testContext(t)))
			if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); !slices.Equal(values, []string{"accepted"}) {
				t.Errorf("read %q", values)
			}
		})
	}
}

// Proves: call-ends-with-its-context
func TestFlushAndAbortEndWithTheirContext(t *testing.T) {
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	w.keepSilent(kmsg.Produce, true)
	send(t, p, tp, "a")
	for i, call := range []func(context.Context) error{p.Flush, p.Commit, p.Abort} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("call %d: %v", i, err)
		}
		cancel()
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	t.Parallel()
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{MaxBufferedBytes: 100_000, BatchBytes: 10_000})
	produced := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})
	w.loseAnswers(kmsg.Produce, 5)
	for range 1000 {
		send(t, p, tp, strings.Repeat("x", 1000))
		p.mu.Lock()
		if p.buffered+p.openBytes > p.cfg.MaxBufferedBytes+2000 {
			t.Fatalf("%d bytes in sealed and %d in open batches, more than %d", p.buffered, p.openBytes, p.cfg.MaxBufferedBytes)
		}
		p.mu.Unlock()
	}
	must(t, p.Flush(testContext(t)))
	if p.buffered != 0 || p.openBytes != 0 || p.sealed != 0 {
		t.Errorf("after Flush, %d bytes and %d batches are still counted", p.buffered+p.openBytes, p.sealed)
	}
	if produced.Hits() < 50 {
		t.Errorf("%d produce requests, want at least 50", produced.Hits())
	}
	if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); len(values) != 1000 {
		t.Errorf("read %d values, want 1000", len(values))
	}
}

func TestLinger(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{Linger: time.Millisecond})
	for ctx := testContext(t); ; {
		send(t, p, tp, "x")
		if _, ok := p.LastOffset(tp); ok {
			return // without Flush, and the batch is not full
		}
		must(t, ctx.Err())
	}
}

func TestProducerRefusesWhatKafkaCannotHold(t *testing.T) {
	c := dial(t, testBrokers(t))
	p := newProducer(t, c, ProducerConfig{})
	for _, r := range []Record{{Timestamp: -1}, {Timestamp: math.MaxInt64}} {
		if err := p.Send("t", 0, r); err == nil {
			t.Errorf("timestamp %d was accepted", r.Timestamp)
		}
	}
	if err := p.Send("t", -1, Record{}); err == nil {
		t.Error("partition -1 was accepted")
	}
	if _, err := c.NewProducer(testContext(t), ProducerConfig{Compression: "brotli"}); err == nil {
		t.Error("brotli was accepted")
	}
}

func TestSequenceNumbersBeginAgain(t *testing.T) {
	for _, test := range []struct{ seq, records, want int32 }{
		{0, 5, 5},
		{math.MaxInt32 - 2, 2, math.MaxInt32},
		{math.MaxInt32 - 2, 3, 0},
		{math.MaxInt32, 1, 0},
		{math.MaxInt32, 4, 3},
	} {
		if got := sequenceAfter(test.seq, int(test.records)); got != test.want {
			t.Errorf("%d records after %d: next is %d, want %d", test.records, test.seq, got, test.want)
		}
	}
}

func TestCloseDoesNotWaitForTheBroker(t *testing.T) {
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{})
	w.keepSilent(kmsg.Produce, true)
	send(t, p, tp, "a")
	p.sealAll()
	must(t, p.Close())
	if err := p.Flush(testContext(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("Flush after Close: %v", err)
	}
}

// pollRecords polls until n records of any partitions were returned.
func pollRecords(t testing.TB, f *Fetcher, n int) []Record {
	t.Helper()
	var records []Record
	for len(records) < n {
		got, err := f.Poll(testContext(t))
		if err != nil {
			t.Fatalf("after %d of %d records: %v", len(records), n, err)
		}
		for _, p := range got {
			if p.Err != nil {
				t.Fatal(p.Err)
			}
			records = append(records, p.Records...)
		}
	}
	return records
}
