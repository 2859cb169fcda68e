package kafka

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// producerConfigs lists configurations under which rejected records must be separated from valid ones.
func producerConfigs() map[string]ProducerConfig {
	return map[string]ProducerConfig{
		"plain":               {},
		"transactions":        {TransactionalID: unique("t")},
		"gzip":                {Compression: "gzip"},
		"transactions, zstd":  {TransactionalID: unique("t"), Compression: "zstd"},
		"small batches":       {BatchBytes: 3000},
		"a batch per record":  {TransactionalID: unique("t"), BatchBytes: 1},
		"little memory, lz4":  {TransactionalID: unique("t"), Compression: "lz4", MaxBufferedBytes: 100_000},
		"larger than a topic": {BatchBytes: 4 << 20},
	}
}

// smallTopic creates a topic that accepts batches of at most maxBytes.
func smallTopic(t testing.TB, c *Client, maxBytes int) TopicPartition {
	t.Helper()
	name := unique("small")
	must(t, c.CreateTopics(testContext(t), TopicSpec{Name: name, Partitions: 1, Config: map[string]string{"max.message.bytes": fmt.Sprint(maxBytes)}}))
	return TopicPartition{name, 0}
}

// finish calls Commit, or Flush for a producer without transactions.
func finish(t testing.TB, p *Producer) error {
	if p.cfg.TransactionalID == "" {
		return p.Flush(testContext(t))
	}
	return p.Commit(testContext(t))
}

// holds compares the values of a partition. It retries, because the end of a transaction may become visible a moment
// later.
func holds(t testing.TB, c *Client, tp TopicPartition, want []string) {
	t.Helper()
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(tp, 0)
	var got []string
	for _, r := range pollRecords(t, f, len(want)) {
		got = append(got, string(r.Value))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v: read %d values, want the %d that were sent, in their order", tp, len(got), len(want))
	}
}

// noise returns text that compresses to about three quarters of its size.
func noise(r *rand.Rand, size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(' ' + r.IntN(64))
	}
	return string(b)
}

// If a topic rejects batches as too large, the producer splits them, in order, and remembers the accepted size.
func TestBatchesLargerThanTheTopicAllows(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	for name, cfg := range producerConfigs() {
		t.Run(name, func(t *testing.T) {
			tp := smallTopic(t, c, 10_000)
			p := newProducer(t, c, cfg)
			random := rand.New(rand.NewPCG(1, 2))
			var want []string
			for range 3 {
				for range 300 {
					value := noise(random, random.IntN(2000))
					want = append(want, value)
					send(t, p, tp, value)
				}
				must(t, finish(t, p))
			}
			holds(t, c, tp, want)
			if last, ok := p.LastOffset(tp); !ok || last < int64(len(want)-1) {
				t.Errorf("LastOffset %d, %v", last, ok)
			}
		})
	}
}

func TestSmallerSizeIsRemembered(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := smallTopic(t, c, 10_000)
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	requests := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})
	var counts []int64
	for range 2 {
		before := int64(requests.Hits())
		for range 100 {
			send(t, p, tp, strings.Repeat("x", 1000))
		}
		must(t, p.Commit(testContext(t)))
		counts = append(counts, int64(requests.Hits())-before)
	}
	// 100 kB in batches of 6 to 10 kB: between 10 and 20 requests, and none is rejected
	if counts[1] > 20 || counts[1] < 10 {
		t.Errorf("%v requests for the same records, first and second time", counts)
	}
}

// Among many records, the large ones are rejected, each with its tag, and all others are written.
func TestRecordsTooLarge(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	for name, cfg := range producerConfigs() {
		t.Run(name, func(t *testing.T) {
			tp, other := smallTopic(t, c, 10_000), smallTopic(t, c, 100_000)
			p := newProducer(t, c, cfg)
			random := rand.New(rand.NewPCG(3, 4))
			var want, all []string
			var wantTags []Tag
			for i := range 500 {
				value, tag := noise(random, random.IntN(500)), Tag{int64(i), -int64(i)}
				if i%100 == 37 || i == 499 {
					value = noise(random, 20_000)
					wantTags = append(wantTags, tag)
				} else {
					want = append(want, value)
				}
				must(t, p.SendTagged(tp.Topic, 0, Record{Timestamp: int64(i), Key: []byte("k"), Value: []byte(value)}, tag))
				send(t, p, other, value)
				all = append(all, value)
			}
			err := finish(t, p)
			var refused *RefusedError
			if !errors.As(err, &refused) || !errors.Is(err, ErrRecordTooLarge) || !strings.Contains(err.Error(), "max.message.bytes") ||
				!strings.Contains(err.Error(), "and 5 more") {
				t.Fatalf("error %v", err)
			}
			if again := finish(t, p); fmt.Sprint(again) != err.Error() {
				t.Errorf("refusals that were not taken: %v", again)
			}
			var tags []Tag
			for _, r := range p.TakeRefusals() {
				tags = append(tags, r.Tag)
				if r.TopicPartition != tp || r.Timestamp != r.Tag[0] || string(r.Key) != "k" || r.Size < 20_000 {
					t.Errorf("refusal %+v", r)
				}
			}
			if !slices.Equal(tags, wantTags) {
				t.Errorf("refused %v, want %v", tags, wantTags)
			}
			send(t, p, tp, "after")
			must(t, finish(t, p))
			holds(t, c, tp, append(want, "after"))
			holds(t, c, other, all)
			if p.buffered != 0 || p.openBytes != 0 || p.sealed != 0 {
				t.Errorf("%d bytes and %d batches are still counted", p.buffered+p.openBytes, p.sealed)
			}
		})
	}
}

// Abort also discards the rejected records of the transaction.
func TestAbortDropsRefusals(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := smallTopic(t, c, 10_000)
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("t")})
	send(t, p, tp, "a", strings.Repeat("x", 20_000), "b")
	if err := p.Commit(testContext(t)); !errors.Is(err, ErrRecordTooLarge) {
		t.Fatalf("Commit: %v", err)
	}
	must(t, p.Abort(testContext(t)))
	send(t, p, tp, "c")
	must(t, p.Commit(testContext(t)))
	holds(t, c, tp, []string{"c"})
}

// refuse makes the cluster reject every batch that contains one of the marked values. If named is set, the response
// names these records.
func refuse(cluster *kfake.Cluster, code *kerr.Error, marked string, named bool) {
	cluster.ControlKey(kmsg.Produce.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		req := request.(*kmsg.ProduceRequest)
		batch := req.Topics[0].Partitions[0].Records
		if !strings.Contains(string(batch), marked) {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = req.Topics[0].Topic
		partition := kmsg.NewProduceResponseTopicPartition()
		partition.ErrorCode, partition.BaseOffset = code.Code, -1
		if named {
			for i, value := range strings.Split(string(batch), "<value>")[1:] {
				if strings.HasPrefix(value, marked) {
					wrong := kmsg.NewProduceResponseTopicPartitionErrorRecord()
					wrong.RelativeOffset, wrong.ErrorMessage = int32(i), kmsg.StringPtr("forbidden")
					partition.ErrorRecords = append(partition.ErrorRecords, wrong)
				}
			}
			// An invalid index in the response must not lose a record.
			wrong := kmsg.NewProduceResponseTopicPartitionErrorRecord()
			wrong.RelativeOffset = 10_000
			partition.ErrorRecords = append(partition.ErrorRecords, wrong)
		}
		topic.Partitions = append(topic.Partitions, partition)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
}

// Whatever the reason of a rejection, only the rejected record is affected.
func TestRecordsThatTheBrokerRefuses(t *testing.T) {
	t.Parallel()
	for _, code := range []*kerr.Error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.PolicyViolation,
	} {
		for _, named := range []bool{false, true} {
			for _, id := range []string{"", "t"} {
				t.Run(fmt.Sprintf("%s,named=%v,id=%s", code.Message, named, id), func(t *testing.T) {
					cluster := fakeCluster(t)
					c := dial(t, cluster.ListenAddrs())
					tp := TopicPartition{makeTopic(t, c, 1), 0}
					p := newProducer(t, c, ProducerConfig{TransactionalID: id})
					refuse(cluster, code, "bad", named)
					random := rand.New(rand.NewPCG(5, 6))
					var want, wantBad []string
					for i := range 200 {
						value := fmt.Sprintf("<value>good %d", i)
						if random.IntN(20) == 0 {
							value = fmt.Sprintf("<value>bad %d", i)
							wantBad = append(wantBad, fmt.Sprint(i))
						} else {
							want = append(want, value)
						}
						must(t, p.SendTagged(tp.Topic, 0, Record{Timestamp: 1, Value: []byte(value)}, Tag{int64(i)}))
					}
					if err := finish(t, p); !errors.Is(err, ErrRefused) && !errors.Is(err, ErrRecordTooLarge) {
						t.Fatalf("error %v", err)
					}
					var bad []string
					for _, r := range p.TakeRefusals() {
						bad = append(bad, fmt.Sprint(r.Tag[0]))
						if named && !strings.Contains(r.Error(), "forbidden") {
							t.Errorf("refusal %v lacks the broker's message", r)
						}
					}
					if !slices.Equal(bad, wantBad) {
						t.Errorf("refused %v, want %v", bad, wantBad)
					}
					must(t, finish(t, p))
					holds(t, c, tp, want)
				})
			}
		}
	}
}

// After a lost response, a rejection of the retry does not show what happened to the first attempt.
func TestRefusalAfterALostAnswer(t *testing.T) {
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	cluster.ControlKey(kmsg.Produce.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		refuse(cluster, kerr.InvalidRecord, "a", false) // from the second attempt on
		return nil, nil, false
	})
	w.loseAnswers(kmsg.Produce, 1)
	send(t, p, tp, "a", "b")
	if err := p.Commit(testContext(t)); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("Commit: %v, want ErrOutcomeUnknown", err)
	}
}

// A batch that was damaged on the way is resent, and none of its records counts as rejected.
func TestDamagedBatchIsSentAgain(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.CorruptMessage, Count: 2})
	send(t, p, tp, "a", "b")
	must(t, p.Commit(testContext(t)))
	holds(t, c, tp, []string{"a", "b"})
}

// Send rejects records that no broker can store, and no others.
func TestRecordsThatNoBrokerCanHold(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{})
	for text, r := range map[string]Record{
		"years 1970 to 2262": {Timestamp: -1},
		"100 MiB":            {Value: make([]byte, maxRecordBytes)},
	} {
		var refusal *Refusal
		if err := p.SendTagged(tp.Topic, 0, r, Tag{7}); !errors.As(err, &refusal) || refusal.Tag != (Tag{7}) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
	send(t, p, tp, "a")
	must(t, p.Flush(testContext(t)))
}
