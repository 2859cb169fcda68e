package crashtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The topics, and the groups that read them.
const (
	numbers = "numbers" // idempotent producers number their records
	input   = "input"   // like numbers, but there is one producer, and transactions read it
	output  = "output"  // written by transactions, the same to each partition
	audit   = "audit"   // written by the same transactions

	committing   = "committing"   // reads numbers, and commits its offsets outside of transactions
	transforming = "transforming" // reads the input, and commits its offsets inside of transactions
)

// topics maps the topics to their numbers of partitions.
var topics = map[string]int32{numbers: 4, input: 3, output: 3, audit: 1}

// places returns the partitions of topics.
func places(of ...string) (all []place) {
	for _, topic := range of {
		for p := range topics[topic] {
			all = append(all, place{topic, p})
		}
	}
	return all
}

// share is how many records each writer may write between two checks. It is more than what any test waits for.
const share = 1_500

// load is a group of clients that run until they are stopped.
type load struct {
	t       *testing.T
	address string
	seed    uint64
	*ledger
	*gate
	watched *watch
}

// writers write numbers; the feeder writes the input.
var writers = []string{"writer-0", "writer-1"}

const (
	feeder    = "feeder"
	committer = "committer" // reads numbers and commits its offsets in small steps
)

// transformers are the members of the group that reads the input.
var transformers = []string{"transformer-0", "transformer-1"}

// startLoad creates the topics and starts the clients, which wait at the gate. stop stops them.
func startLoad(t *testing.T, address string, seed uint64) (l *load, stop func()) {
	l = &load{
		t: t, address: address, seed: seed, ledger: newLedger(), watched: newWatch(),
		gate: newGate(slices.Concat(writers, transformers, []string{feeder, committer})...),
	}
	client := newClient(t.Context(), t, address)
	defer client.Close()
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		if err := createTopic(t.Context(), client, topic, topics[topic]); err != nil {
			t.Fatal(err)
		}
		l.topics = append(l.topics, topic)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i, name := range writers {
		w := &writer{load: l, name: name, topic: numbers, random: l.random(i)}
		running.Go(func() { w.run(ctx) })
	}
	feeding := &writer{load: l, name: feeder, topic: input, random: l.random(2)}
	running.Go(func() { feeding.run(ctx) })
	running.Go(func() { l.commit(ctx) })
	for i, name := range transformers {
		w := &transformer{load: l, name: name, random: l.random(3 + i)}
		running.Go(func() { w.run(ctx) })
	}
	running.Go(func() { l.watch(ctx) })
	return l, func() { // may be called twice
		cancel()
		running.Wait()
	}
}

// begin starts the clients.
func (l *load) begin() { l.release(share, slices.Concat(writers, []string{feeder})...) }

// random returns a source of random numbers for one client, so that they do not depend on other clients.
func (l *load) random(client int) *rand.Rand { return rand.New(rand.NewPCG(l.seed, uint64(client))) }

// writer is an idempotent producer that numbers its records in each partition.
type writer struct {
	*load
	name   string
	topic  string
	random *rand.Rand
}

// run uses one client through all restarts. It ends if a record fails: the client retries for ever, so an error means that
// the broker has lost the producer's sequence numbers.
func (w *writer) run(ctx context.Context) {
	defer w.leave(w.name)
	ctx, fail := context.WithCancel(ctx)
	defer fail()
	client := newClient(ctx, w.t, w.address, kgo.StopProducerOnDataLossDetected(), kgo.MaxBufferedRecords(200), kgo.ProducerLinger(time.Millisecond))
	defer client.Close()
	next := make([]int, topics[w.topic])
	settle := func() { _ = client.Flush(ctx) }
	for burst := 1; w.pass(ctx, w.name, burst, settle); burst = 1 + w.random.IntN(20) {
		p := w.random.IntN(len(next))
		for range burst {
			number := next[p]
			next[p]++
			record := &kgo.Record{Topic: w.topic, Partition: int32(p), Key: []byte(w.name), Value: numbered(number)}
			client.Produce(ctx, record, func(r *kgo.Record, err error) {
				if err == nil {
					w.acknowledged(r, number)
				} else if ctx.Err() == nil {
					w.find("%s: number %d into %s/%d failed: %v", w.name, number, r.Topic, r.Partition, err)
					fail()
				}
			})
		}
	}
}

func (w *writer) acknowledged(r *kgo.Record, number int) {
	w.note(func() {
		at := place{r.Topic, r.Partition}
		w.records[at] = append(w.records[at], acknowledgement{r.Offset, w.name, number})
	})
}

// numbered returns a value that contains a number. Its length is derived from the number.
func numbered(number int) []byte {
	return []byte(strconv.Itoa(number) + " " + strings.Repeat(".", number*7919%600))
}

// numberOf parses a value of numbered and checks its length.
func numberOf(value string) (int, error) {
	digits, _, _ := strings.Cut(value, " ")
	number, err := strconv.Atoi(digits)
	if err != nil || value != string(numbered(number)) {
		return 0, fmt.Errorf("%.20q is not a number", value)
	}
	return number, nil
}

// commit reads numbers in a group and commits its offsets.
func (l *load) commit(ctx context.Context) {
	defer l.leave(committer)
	client := newClient(ctx, l.t, l.address, kgo.ConsumerGroup(committing), kgo.ConsumeTopics(numbers), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(heartbeats), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	for l.pass(ctx, committer, 0, func() {}) {
		poll, cancel := context.WithTimeout(ctx, 10*pause)
		fetches := client.PollRecords(poll, 50)
		cancel()
		l.complain(committer, fetches)
		if fetches.NumRecords() == 0 {
			continue
		}
		offsets := client.UncommittedOffsets()
		l.ask(offsets)
		client.CommitOffsetsSync(ctx, offsets, l.answered)
	}
}

// Sessions outlast a restart of the broker; heartbeats detect soon that it is back.
const (
	sessionTimeout = 10 * time.Second
	heartbeats     = 10 * pause
)

// ask records the offsets of a commit before the request is sent.
func (l *load) ask(offsets map[string]map[int32]kgo.EpochOffset) {
	l.note(func() {
		for topic, partitions := range offsets {
			for p, to := range partitions {
				at := place{topic, p}
				l.asked[at] = max(l.asked[at], to.Offset)
			}
		}
	})
}

// answered records which of the requested offsets are acknowledged.
func (l *load) answered(_ *kgo.Client, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
	if err != nil {
		return
	}
	acknowledged := map[place]bool{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			acknowledged[place{t.Topic, p.Partition}] = p.ErrorCode == 0
		}
	}
	l.note(func() {
		l.commits++
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				if at := (place{t.Topic, p.Partition}); acknowledged[at] {
					l.kept[at] = max(l.kept[at], p.Offset)
				}
			}
		}
	})
}

// complain records errors that a consumer must never get. Others are expected, such as a lost response or a rebalance.
func (l *load) complain(who string, fetches kgo.Fetches) {
	fetches.EachError(func(topic string, partition int32, err error) {
		var loss *kgo.ErrDataLoss
		if errors.As(err, &loss) || errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.CorruptMessage) {
			l.find("%s: at %s/%d: %v", who, topic, partition, err)
		}
	})
}
