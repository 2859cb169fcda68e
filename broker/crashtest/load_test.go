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
	output  = "output"  // what transactions write, the same into each partition
	audit   = "audit"   // and once more into another topic

	committing   = "committing"   // reads numbers, and commits its offsets outside of transactions
	transforming = "transforming" // reads the input, and commits its offsets inside of transactions
)

// topics are their partitions.
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

// share is how many records each writer may write between two checks: enough for whatever is waited for.
const share = 1_500

// load is a number of clients that work until they are stopped.
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
	committer = "committer" // commits what it has read of the numbers, in small steps
)

// transformers take turns in the input, as members of one group.
var transformers = []string{"transformer-0", "transformer-1"}

// startLoad creates the topics and starts the clients, which wait at the gate. stop ends them.
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
	return l, func() { // twice is harmless
		cancel()
		running.Wait()
	}
}

// begin lets the clients work.
func (l *load) begin() { l.release(share, slices.Concat(writers, []string{feeder})...) }

// random is the luck of one client, so that it does not depend on what the others do.
func (l *load) random(client int) *rand.Rand { return rand.New(rand.NewPCG(l.seed, uint64(client))) }

// writer is an idempotent producer that numbers its records in each partition.
type writer struct {
	*load
	name   string
	topic  string
	random *rand.Rand
}

// run lives through all restarts with one client. A record that fails ends it: retries never end, so whatever fails does so
// because the broker has lost count.
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

// numbered is a value with that number, of some length that follows from it.
func numbered(number int) []byte {
	return []byte(strconv.Itoa(number) + " " + strings.Repeat(".", number*7919%600))
}

// numberOf reads what numbered wrote, and believes it only when the length is right.
func numberOf(value string) (int, error) {
	digits, _, _ := strings.Cut(value, " ")
	number, err := strconv.Atoi(digits)
	if err != nil || value != string(numbered(number)) {
		return 0, fmt.Errorf("%.20q is no number", value)
	}
	return number, nil
}

// commit reads numbers in a group and commits how far it has come.
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

// Sessions outlive a restart of the broker; heartbeats notice soon that it is back.
const (
	sessionTimeout = 10 * time.Second
	heartbeats     = 10 * pause
)

// ask notes what a commit asks for, before it can be answered.
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

// answered notes which of the offsets that were asked for are acknowledged.
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

// complain notes what a consumer must never be told. Others pass: an answer that did not come, a group that is rebalancing.
func (l *load) complain(who string, fetches kgo.Fetches) {
	fetches.EachError(func(topic string, partition int32, err error) {
		var loss *kgo.ErrDataLoss
		if errors.As(err, &loss) || errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.CorruptMessage) {
			l.find("%s: at %s/%d: %v", who, topic, partition, err)
		}
	})
}
