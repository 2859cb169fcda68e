package kafkatest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rio-streams/rio/kafka"
)

var compaction = theme{"compaction", []testCase{
	{"the last record of each key remains", lastOfEachKey},
	{"inside compressed batches", compactsCompressed},
	{"gaps are passed", gapsArePassed},
	{"tombstones vanish", tombstonesVanish},
	{"a tombstone stays a while", tombstoneStays},
	{"what was aborted replaces nothing", abortedReplacesNothing},
	{"an open transaction is not compacted", openIsLeftAlone},
	{"sequence numbers are kept", sequencesAreKept},
	{"a topic that is also deleted by age", compactedAndDeleted},
}}

// keyed writes to a compacted partition. A broker never compacts the last segment of its log, and starts a new one when a
// record is a minute younger than the first of the segment. So keyed sets the timestamps, ahead of the broker's clock, and
// roll starts a new segment with a record of the key "page".
type keyed struct {
	s   *subject
	tp  kafka.TopicPartition
	now time.Time
}

// keyed creates a topic that is compacted as soon as possible.
func (s *subject) keyed(more map[string]string) *keyed {
	s.Helper()
	config := map[string]string{
		"cleanup.policy": "compact", "segment.ms": "60000", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "0",
		"message.timestamp.after.max.ms": strconv.Itoa(math.MaxInt64),
	}
	maps.Copy(config, more)
	return &keyed{s: s, tp: s.ready(config), now: time.Now()}
}

// records makes records from texts "key=value"; "key" alone is a tombstone.
func (k *keyed) records(texts ...string) (records []kafka.Record) {
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		r := kafka.Record{Timestamp: k.now.UnixMilli(), Key: []byte(key)}
		if ok {
			r.Value = []byte(value)
		}
		records = append(records, r)
	}
	return records
}

// write writes records, each in a batch of its own.
func (k *keyed) write(texts ...string) {
	k.s.Helper()
	p := k.s.producer(kafka.ProducerConfig{})
	for _, r := range k.records(texts...) {
		k.s.must(p.Send(k.tp.Topic, k.tp.Partition, r))
		k.s.must(p.Flush(k.s.ctx))
	}
}

// roll starts a new segment, so that all earlier records can be compacted.
func (k *keyed) roll() {
	k.s.Helper()
	k.now = k.now.Add(2 * time.Minute)
	k.write("page=" + k.now.Format(time.TimeOnly))
}

// transact writes records in a transaction of p.
func (k *keyed) transact(p *kafka.Producer, texts ...string) {
	k.s.Helper()
	for _, r := range k.records(texts...) {
		k.s.must(p.Send(k.tp.Topic, k.tp.Partition, r))
	}
	k.s.must(p.Flush(k.s.ctx))
}

// all returns the records as "offset key=value", without those of roll.
func (k *keyed) all(cfg kafka.FetcherConfig) (all []string) {
	k.s.Helper()
	records, _ := k.s.read(k.tp, k.s.offset(k.tp, kafka.Earliest), cfg)
	for _, r := range records {
		switch {
		case string(r.Key) == "page":
		case r.Value == nil:
			all = append(all, fmt.Sprintf("%d %s", r.Offset, r.Key))
		default:
			all = append(all, fmt.Sprintf("%d %s=%s", r.Offset, r.Key, r.Value))
		}
	}
	return all
}

// becomes waits until exactly these records are left, committed or not. It keeps starting new segments meanwhile.
func (k *keyed) becomes(want ...string) {
	k.s.Helper()
	var got []string
	defer func() {
		if !slices.Equal(got, want) {
			k.s.Logf("records %q, want %q", got, want)
		}
	}()
	eventuallySlow(k.s, 200*time.Millisecond, "the log is compacted", func() bool {
		k.roll()
		got = k.all(kafka.FetcherConfig{ReadUncommitted: true})
		return slices.Equal(got, want)
	})
}

func lastOfEachKey(s *subject) {
	k := s.keyed(nil)
	k.write("ana=1", "bea=1", "ana=2", "cid=1", "bea=2", "ana=3")
	k.roll() // offset 6
	k.write("cid=2", "dan=1")
	k.becomes("4 bea=2", "5 ana=3", "7 cid=2", "8 dan=1")
}

func compactsCompressed(s *subject) {
	var all []*keyed
	for _, compression := range allTypes {
		k := s.keyed(nil)
		s.must(s.write(k.tp, kafka.ProducerConfig{Compression: compression}, k.records("ana=1", "bea=1", "ana=2", "cid=1")...))
		s.must(s.write(k.tp, kafka.ProducerConfig{Compression: compression}, k.records("bea=2", "dan=1")...))
		k.roll() // the partitions are compacted at the same time
		all = append(all, k)
	}
	for _, k := range all {
		k.becomes("2 ana=2", "3 cid=1", "4 bea=2", "5 dan=1")
	}
}

// A consumer at an offset that was compacted away continues at the next existing one.
func gapsArePassed(s *subject) {
	k := s.keyed(nil)
	k.write("ana=1", "bea=1", "ana=2", "ana=3", "cid=1", "ana=4", "dan=1")
	k.becomes("1 bea=1", "4 cid=1", "5 ana=4", "6 dan=1")
	next := []int64{1, 1, 4, 4, 4, 5, 6}
	for offset, want := range next {
		records, _ := s.read(k.tp, int64(offset), kafka.FetcherConfig{})
		if len(records) == 0 || records[0].Offset != want {
			s.Errorf("from %d: records %+v; want the first at %d", offset, records, want)
		}
	}
	s.isAt(k.tp, kafka.Earliest, 0) // compaction does not move the start of the log
	end := s.offset(k.tp, kafka.Latest)
	k.write("eva=1")
	s.isAt(k.tp, kafka.Latest, end+1)
}

func tombstonesVanish(s *subject) {
	k := s.keyed(nil)
	k.write("ana=1", "bea=1", "ana", "cid")
	k.becomes("1 bea=1")
}

func tombstoneStays(s *subject) {
	k := s.keyed(map[string]string{"delete.retention.ms": "86400000"})
	k.write("ana=1", "bea=1", "ana")
	k.becomes("1 bea=1", "2 ana")
	k.write("bea=2")
	k.roll()
	k.becomes("2 ana", fmt.Sprintf("%d bea=2", s.offset(k.tp, kafka.Latest)-2)) // it survives another compaction
}

func abortedReplacesNothing(s *subject) {
	k := s.keyed(nil)
	good, bad := s.transactional(), s.transactional()
	k.transact(good, "ana=good", "bea=old")
	s.must(good.Commit(s.ctx)) // marker at offset 2
	k.transact(bad, "ana=bad", "bea=bad")
	s.must(bad.Abort(s.ctx)) // marker at offset 5
	s.settled(k.tp)
	k.transact(good, "bea=new")
	s.must(good.Commit(s.ctx))
	s.settled(k.tp)
	k.becomes("0 ana=good", "6 bea=new")
	if got, want := k.all(kafka.FetcherConfig{}), []string{"0 ana=good", "6 bea=new"}; !slices.Equal(got, want) {
		s.Errorf("a reader of committed records sees %q, want %q", got, want)
	}
}

func openIsLeftAlone(s *subject) {
	k := s.keyed(nil)
	p := s.transactional()
	k.write("ana=old", "bea=1", "bea=2")
	k.roll() // offset 3
	k.transact(p, "ana=new", "ana=newer")
	k.becomes("0 ana=old", "2 bea=2", "4 ana=new", "5 ana=newer")
	if got := k.all(kafka.FetcherConfig{}); !slices.Equal(got, []string{"0 ana=old", "2 bea=2"}) {
		s.Errorf("a reader of committed records sees %q", got)
	}
	s.must(p.Commit(s.ctx))
	s.settled(k.tp)
	k.becomes("2 bea=2", "5 ana=newer")
}

// A producer may resend a batch whose records have all been compacted away: the broker still knows its sequence numbers.
func sequencesAreKept(s *subject) {
	k := s.keyed(nil)
	w := s.rawIdempotent()
	w.tp = k.tp
	batch := func(sequence int32, text string) []byte {
		b := batchOf(k.records(text)...)
		b.ProducerID, b.ProducerEpoch, b.FirstSequence = w.id, w.epoch, sequence
		return seal(b)
	}
	first := batch(0, "ana=1")
	r := s.raw()
	r.appends(k.tp, 0, first)
	k.write("ana=2")
	k.becomes("1 ana=2")
	r.appends(k.tp, 0, first) // not appended a second time
	end := s.offset(k.tp, kafka.Latest)
	r.appends(k.tp, end, batch(1, "bea=1"))
}

func compactedAndDeleted(s *subject) {
	k := s.keyed(map[string]string{"cleanup.policy": "compact,delete", "retention.ms": fmt.Sprint(20 * time.Hour.Milliseconds())})
	k.now = k.now.Add(-24 * time.Hour)
	k.write("ana=1", "bea=1")
	s.expires(k.tp) // although it is the last record of its key
	k.now = k.now.Add(6 * time.Hour)
	k.write("ana=2", "cid=1", "cid=2", "cid=3")
	k.becomes("2 ana=2", "5 cid=3")
}
