package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func pollOne(t testing.TB, f *Fetcher) Fetched {
	t.Helper()
	got, err := f.Poll(testContext(t))
	must(t, err)
	if len(got) != 1 {
		t.Fatalf("polled %d partitions, want 1: %+v", len(got), got)
	}
	return got[0]
}

// pollNothing checks that Poll returns nothing for a while.
func pollNothing(t testing.TB, f *Fetcher) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if got, err := f.Poll(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("polled %+v, %v; want nothing", got, err)
	}
}

func TestEndIsToldOnce(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	f := newFetcher(t, c, FetcherConfig{MaxWait: time.Millisecond})
	f.Add(tp, 0)
	if got := pollOne(t, f); got.Err != nil || got.Next != 0 || got.LastStable != 0 || len(got.Records) != 0 {
		t.Errorf("of an empty partition: %+v", got)
	}
	pollNothing(t, f)

	p := newProducer(t, c, ProducerConfig{})
	send(t, p, tp, "a")
	must(t, p.Flush(testContext(t)))
	if got := pollOne(t, f); got.Next != 1 || got.LastStable != 1 || got.HighWatermark != 1 || len(got.Records) != 1 {
		t.Errorf("after a record: %+v", got)
	}
	pollNothing(t, f)

	f.Add(tp, 1) // again
	if got := pollOne(t, f); got.Next != 1 || len(got.Records) != 0 {
		t.Errorf("added at the end: %+v", got)
	}
}

// A partition that is added while the broker waits for records of others does not wait with them.
func TestAddDoesNotWait(t *testing.T) {
	c := dial(t, testBrokers(t))
	topic := makeTopic(t, c, 3)
	f := newFetcher(t, c, FetcherConfig{MaxWait: 5 * time.Second})
	began := time.Now()
	for partition := range int32(3) {
		f.Add(TopicPartition{topic, partition}, 0)
		if got := pollOne(t, f); got.Partition != partition || got.Next != 0 {
			t.Errorf("got %+v", got)
		}
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("it took %v to see that three partitions are empty", d)
	}
}

func TestOpenTransactionIsAnEnd(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("open")})
	send(t, p, tp, "a")
	must(t, p.Flush(testContext(t)))
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(tp, 0)
	if got := pollOne(t, f); got.Next != 0 || got.LastStable != 0 || got.HighWatermark != 1 {
		t.Errorf("while the transaction is open: %+v", got)
	}
	must(t, p.Abort(testContext(t)))
	for next := int64(0); next < 2; { // after the record and its marker
		got := pollOne(t, f)
		if next = got.Next; len(got.Records) != 0 {
			t.Errorf("after Abort: %+v", got)
		}
	}
}

func TestOffsetOutOfRange(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	topic := makeTopic(t, c, 2)
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(TopicPartition{topic, 1}, 0)
	pollOne(t, f)
	f.Add(TopicPartition{topic, 0}, 99)
	got := pollOne(t, f)
	if !errors.Is(got.Err, ErrOffsetOutOfRange) || !strings.HasPrefix(got.Err.Error(), "kafka: fetch "+topic+"/0 at 99: ") {
		t.Errorf("Err = %v", got.Err)
	}
	pollNothing(t, f) // returned once; the other partition is still read
	p := newProducer(t, c, ProducerConfig{})
	send(t, p, TopicPartition{topic, 1}, "a")
	send(t, p, TopicPartition{topic, 0}, "b")
	must(t, p.Flush(testContext(t)))
	if got := pollRecords(t, f, 1); string(got[0].Value) != "a" {
		t.Errorf("got %q", got[0].Value)
	}
	f.Add(TopicPartition{topic, 0}, 0) // fixed
	if got := pollRecords(t, f, 1); string(got[0].Value) != "b" {
		t.Errorf("got %q", got[0].Value)
	}
}

func TestUnknownPartition(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	c := dial(t, testBrokers(t))
	topic := makeTopic(t, c, 1)
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(TopicPartition{topic, 7}, 0)
	f.Add(TopicPartition{topic, 0}, 0)
	if got := pollOne(t, f); got.Partition != 0 || got.Err != nil {
		t.Errorf("first, the partition that exists: %+v", got)
	}
	if got := pollOne(t, f); !errors.Is(got.Err, ErrUnknownTopic) || got.Partition != 7 {
		t.Errorf("got %+v, want ErrUnknownTopic", got)
	}
}

func TestRemoveAndMove(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{BatchBytes: 100})
	for i := range 50 {
		send(t, p, tp, fmt.Sprint(i))
	}
	must(t, p.Flush(testContext(t)))
	f := newFetcher(t, c, FetcherConfig{PartitionMaxBytes: 500})
	f.Add(tp, 0)
	pollOne(t, f)
	f.Remove(tp)
	pollNothing(t, f) // although a request was in progress
	for range 20 {
		at := rand.Int64N(50)
		f.Add(tp, at)
		if got := pollRecords(t, f, 1); got[0].Offset != at || string(got[0].Value) != fmt.Sprint(at) {
			t.Fatalf("moved to %d, got record %d", at, got[0].Offset)
		}
	}
}

func TestPauseLosesNothing(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	topic := makeTopic(t, c, 3)
	p := newProducer(t, c, ProducerConfig{BatchBytes: 100})
	const records = 200
	for i := range records {
		for partition := range int32(3) {
			send(t, p, TopicPartition{topic, partition}, fmt.Sprint(i))
		}
	}
	must(t, p.Flush(testContext(t)))
	f := newFetcher(t, c, FetcherConfig{PartitionMaxBytes: 300})
	paused := make([]bool, 3)
	next := make([]int64, 3)
	for partition := range int32(3) {
		f.Add(TopicPartition{topic, partition}, 0)
	}
	for slices.Min(next) < records {
		for partition := range int32(3) {
			tp := TopicPartition{topic, partition}
			if paused[partition] = rand.IntN(2) == 0; paused[partition] && slices.Contains(paused, false) {
				f.Pause(tp)
			} else {
				paused[partition] = false
				f.Resume(tp)
			}
		}
		ctx, cancel := context.WithTimeout(testContext(t), 20*time.Millisecond) // the others may be at their ends
		got, err := f.Poll(ctx)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		for _, fetched := range got {
			if paused[fetched.Partition] {
				t.Fatalf("partition %d is paused", fetched.Partition)
			}
			for _, r := range fetched.Records {
				if r.Offset != next[fetched.Partition] {
					t.Fatalf("partition %d: got record %d, want %d", fetched.Partition, r.Offset, next[fetched.Partition])
				}
				next[fetched.Partition]++
			}
		}
	}
}

func TestFetcherGoesOnAfterFaults(t *testing.T) {
	t.Parallel()
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{})
	f := newFetcher(t, c, FetcherConfig{MaxWait: 10 * time.Millisecond})
	f.Add(tp, 0)
	faults := []*kerr.Error{
		nil, kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.KafkaStorageError,
		kerr.ReplicaNotAvailable, kerr.UnknownTopicOrPartition, kerr.OffsetNotAvailable,
	}
	for i, e := range faults {
		if e == nil {
			w.loseAnswers(kmsg.Fetch, 3)
		} else {
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: e, Count: 3})
		}
		send(t, p, tp, fmt.Sprint(i))
		must(t, p.Flush(testContext(t)))
		if got := pollRecords(t, f, 1); string(got[0].Value) != fmt.Sprint(i) {
			t.Errorf("after %v: got %q", e, got[0].Value)
		}
	}
}

func TestFetchErrorsAreTold(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	f := newFetcher(t, c, FetcherConfig{})
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed})
	f.Add(tp, 0)
	if got := pollOne(t, f); !errors.Is(got.Err, ErrNotAuthorized) {
		t.Errorf("got %+v", got)
	}
}

// An unavailable broker is reported after RetryTimeout, not before.
func TestBrokerIsGone(t *testing.T) {
	t.Parallel()
	cluster := fakeCluster(t)
	c, err := Dial(testContext(t), Config{Brokers: cluster.ListenAddrs(), RetryTimeout: 100 * time.Millisecond})
	must(t, err)
	defer c.Close()
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(tp, 0)
	pollOne(t, f)
	cluster.Close()
	if got := pollOne(t, f); !retriable(got.Err) {
		t.Errorf("got %+v", got)
	}
}

func TestPollAndClose(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	f := newFetcher(t, c, FetcherConfig{MaxWait: time.Minute})
	f.Add(tp, 0)
	pollOne(t, f)
	polled := make(chan error)
	go func() {
		_, err := f.Poll(context.Background())
		polled <- err
	}()
	must(t, f.Close()) // while the broker waits for records, for up to a minute
	if err := <-polled; !errors.Is(err, ErrClosed) {
		t.Errorf("Poll: %v, want ErrClosed", err)
	}
	if _, err := f.Poll(testContext(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("Poll after Close: %v, want ErrClosed", err)
	}
	f.Add(tp, 0) // does nothing
	must(t, f.Close())
}

// answerFetches makes the cluster return the given bytes as records to all fetches of tp.
func answerFetches(cluster *kfake.Cluster, tp TopicPartition, end int64, records func(maxBytes int32) []byte) {
	cluster.ControlKey(kmsg.Fetch.Int16(), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.FetchRequest)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		for _, rt := range req.Topics {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				partition := kmsg.NewFetchResponseTopicPartition()
				partition.Partition = rp.Partition
				partition.HighWatermark, partition.LastStableOffset = end, end
				partition.RecordBatches = []byte{}
				if rt.Topic == tp.Topic && rp.Partition == tp.Partition && rp.FetchOffset < end {
					partition.RecordBatches = records(rp.PartitionMaxBytes)
				}
				topic.Partitions = append(topic.Partitions, partition)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		cluster.KeepControl()
		return resp, nil, true
	})
}

// rawBatch returns a batch of the given records, which may be none, from first to last.
func rawBatch(first, last int64, records ...string) []byte {
	var raw []byte
	for i, value := range records {
		r := kmsg.Record{OffsetDelta: int32(i), Value: []byte(value)}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // the length field takes one byte
		raw = r.AppendTo(raw)
	}
	b := kmsg.RecordBatch{
		FirstOffset: first, Length: int32(49 + len(raw)), Magic: 2, LastOffsetDelta: int32(last - first),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(records)), Records: raw,
	}
	wire := b.AppendTo(nil)
	crc := crc32.Checksum(wire[21:], crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(wire[17:], crc)
	return wire
}

// Compaction leaves gaps, and batches without records; the position advances past them.
func TestEmptyBatches(t *testing.T) {
	full, empty := rawBatch(3, 6, "a", "b"), rawBatch(7, 9)
	for _, test := range []struct {
		name    string
		records []byte
		want    []int64
		next    int64
	}{
		{"only an empty batch", empty, nil, 10},
		{"a gap after the records", full, []int64{3, 4}, 7},
		{"empty after full", slices.Concat(full, empty), []int64{3, 4}, 10},
		{"full after empty", slices.Concat(rawBatch(0, 2), full), []int64{3, 4}, 7},
		{"cut off after full", slices.Concat(full, rawBatch(7, 12, "never read")[:65]), []int64{3, 4}, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			cluster := fakeCluster(t)
			c := dial(t, cluster.ListenAddrs())
			tp := TopicPartition{makeTopic(t, c, 1), 0}
			answerFetches(cluster, tp, test.next, func(int32) []byte { return test.records })
			f := newFetcher(t, c, FetcherConfig{})
			f.Add(tp, 0)
			got := pollOne(t, f)
			must(t, got.Err)
			var offsets []int64
			for _, r := range got.Records {
				offsets = append(offsets, r.Offset)
			}
			if !slices.Equal(offsets, test.want) || got.Next != test.next {
				t.Errorf("got records %v up to %d, want %v up to %d", offsets, got.Next, test.want, test.next)
			}
		})
	}
}

func TestBatchLargerThanTheRequestAllows(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	batch := rawBatch(0, 0, strings.Repeat("x", 60))
	answerFetches(cluster, tp, 1, func(maxBytes int32) []byte { return batch[:min(int(maxBytes), len(batch))] })
	f := newFetcher(t, c, FetcherConfig{PartitionMaxBytes: 30})
	f.Add(tp, 0)
	if got := pollOne(t, f); got.Next != 1 || len(got.Records) != 1 {
		t.Errorf("got %+v", got)
	}
}

// A batch with a wrong checksum stops its partition and no other.
func TestCorruptBatch(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	topic := makeTopic(t, c, 3)
	bad := TopicPartition{topic, 1}
	answerFetches(cluster, bad, 1, func(int32) []byte {
		batch := rawBatch(0, 0, "x")
		batch[len(batch)-2] ^= 1
		return batch
	})
	f := newFetcher(t, c, FetcherConfig{MaxWait: time.Millisecond})
	for partition := range int32(3) {
		f.Add(TopicPartition{topic, partition}, 1)
	}
	f.Add(bad, 0)
	errs := make(map[int32]error)
	for len(errs) < 3 {
		got, err := f.Poll(testContext(t))
		must(t, err)
		for _, fetched := range got {
			errs[fetched.Partition] = fetched.Err
		}
	}
	if errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], ErrCorrupt) {
		t.Errorf("errors %v; want ErrCorrupt for partition 1 only", errs)
	}
}

func TestAbortedTransactionsOfSeveralProducers(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	plain := newProducer(t, c, ProducerConfig{})
	var producers []*Producer
	for i := range 3 {
		producers = append(producers, newProducer(t, c, ProducerConfig{TransactionalID: unique(fmt.Sprint("txn", i))}))
	}
	var want []string
	for round := range 30 {
		order := rand.Perm(3)
		abort := make([]bool, 3)
		for _, i := range order {
			abort[i] = rand.IntN(2) == 0
			value := fmt.Sprint(round, " ", i)
			send(t, producers[i], tp, value, value)
			must(t, producers[i].Flush(testContext(t)))
			if !abort[i] {
				want = append(want, value, value)
			}
			send(t, plain, tp, "plain")
			must(t, plain.Flush(testContext(t)))
			want = append(want, "plain")
		}
		for _, i := range rand.Perm(3) {
			if abort[i] {
				must(t, producers[i].Abort(testContext(t)))
			} else {
				must(t, producers[i].Commit(testContext(t)))
			}
		}
	}
	f := newFetcher(t, c, FetcherConfig{PartitionMaxBytes: 700})
	if got, _ := readToEnd(t, f, tp, 0); !slices.Equal(got, want) {
		t.Errorf("read %d values, want %d", len(got), len(want))
	}
}

// Many partitions over several brokers are added, removed, paused and moved while leaders move and records arrive. In
// the end each has been read once, in order.
func TestFetcherUnderChange(t *testing.T) {
	t.Parallel()
	cluster := fakeCluster(t, kfake.NumBrokers(3))
	c := dial(t, cluster.ListenAddrs())
	const partitions, records = 6, 300
	topic := makeTopic(t, c, partitions)
	p := newProducer(t, c, ProducerConfig{BatchBytes: 200})
	f := newFetcher(t, c, FetcherConfig{MaxWait: 5 * time.Millisecond, PartitionMaxBytes: 600})
	next := make([]int64, partitions)
	var work sync.WaitGroup
	work.Go(func() {
		for i := range records {
			for partition := range int32(partitions) {
				if err := p.Send(topic, partition, Record{Value: []byte("x")}); err != nil {
					t.Error(err)
					return
				}
			}
			if i%20 == 0 {
				cluster.ShufflePartitionLeaders()
				if err := p.Flush(testContext(t)); err != nil {
					t.Error(err)
				}
			}
		}
		if err := p.Flush(testContext(t)); err != nil {
			t.Error(err)
		}
	})
	for partition := range int32(partitions) {
		f.Add(TopicPartition{topic, partition}, 0)
	}
	for slices.Min(next) < records {
		got, err := f.Poll(testContext(t))
		must(t, err)
		for _, fetched := range got {
			must(t, fetched.Err)
			for _, r := range fetched.Records {
				if r.Offset != next[fetched.Partition] {
					t.Fatalf("partition %d: got record %d, want %d", fetched.Partition, r.Offset, next[fetched.Partition])
				}
				next[fetched.Partition]++
			}
			tp := TopicPartition{topic, fetched.Partition}
			switch rand.IntN(4) {
			case 0:
				f.Add(tp, next[tp.Partition])
			case 1:
				f.Remove(tp)
				f.Add(tp, next[tp.Partition])
			case 2:
				f.Pause(tp)
				f.Resume(tp)
			}
		}
	}
	work.Wait()
}

// The requested size adapts to the size of the records after decompression.
func TestNextMaxBytes(t *testing.T) {
	const limit = 1 << 20
	for _, test := range []struct{ asked, size, want int }{
		{16 << 10, 16 << 10, 32 << 10},        // not compressed: request more
		{limit, limit, limit},                 // full response
		{limit, 10 * limit, limit / 10},       // ten times larger after decompression: request a tenth
		{limit / 10, limit, limit / 10 * 2},   // fits: request more
		{100 << 10, 3 * limit / 2, 100 << 10}, // about right
		{limit, 1 << 40, 1 << 10},             // never 0
		{4 * limit, 3 * limit, limit},         // after a large batch
	} {
		if got := nextMaxBytes(test.asked, test.size, limit); got != test.want {
			t.Errorf("after %d of %d bytes: %d, want %d", test.size, test.asked, got, test.want)
		}
	}
}
