package kafkatest

import (
	"math"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/rio-streams/rio/kafka"
)

var sequences = theme{"sequence numbers", []testCase{
	{"count records", sequencesCountRecords},
	{"what is further back than the broker remembers", sequenceForgotten},
	{"a batch of others of the same number", sequenceOtherBatch},
	{"a gap heals", sequenceGap},
	{"begin at zero in a new epoch", sequencesBeginAtZero},
	{"wrap around", sequencesWrap},
	{"of partitions are apart", sequencesOfPartitions},
	{"of producers are apart", sequencesOfProducers},
	{"go on when the records are deleted", sequencesAfterDelete},
	{"none", sequenceNone},
	{"ids are new", producerIDsAreNew},
}}

// many returns a batch of several records that starts at a sequence number.
func (w *rawIdempotent) many(sequence int32, texts ...string) []byte {
	b := values(texts...)
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = w.id, w.epoch, sequence
	return seal(b)
}

func sequencesCountRecords(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	r.appends(w.tp, 0, w.many(0, "a", "b", "c"))
	r.appends(w.tp, 3, w.many(3, "d", "e"))
	r.appends(w.tp, 0, w.many(0, "a", "b", "c"))
	r.appends(w.tp, 3, w.many(3, "d", "e"))
	s.code(kerr.OutOfOrderSequenceNumber, r.append(w.tp, w.many(6, "f")).ErrorCode, "append from 6 on, after 4")
	r.appends(w.tp, 5, w.many(5, "f"))
	s.holds(w.tp, "a", "b", "c", "d", "e", "f")
}

// The broker may return a duplicate or an out-of-order error, but must not append the batch.
func sequenceForgotten(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	for i := range int32(8) {
		r.appends(w.tp, int64(i), w.many(i, "x"))
	}
	for i := range int32(3) {
		err := kerr.ErrorForCode(r.append(w.tp, w.many(i, "x")).ErrorCode)
		if err != kerr.OutOfOrderSequenceNumber && err != kerr.DuplicateSequenceNumber {
			s.Errorf("append batch %d again, seven later: %v", i, err)
		}
	}
	for i := int32(3); i < 8; i++ {
		r.appends(w.tp, int64(i), w.many(i, "x"))
	}
	r.appends(w.tp, 8, w.many(8, "x"))
	s.isAt(w.tp, kafka.Latest, 9)
}

func sequenceOtherBatch(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	r.appends(w.tp, 0, w.many(0, "a", "b", "c"))
	for sequence, texts := range [][]string{{"a", "b"}, {"b", "c"}, {"c"}} { // parts of the batch
		if err := kerr.ErrorForCode(r.append(w.tp, w.many(int32(sequence), texts...)).ErrorCode); err != kerr.OutOfOrderSequenceNumber && err != kerr.DuplicateSequenceNumber {
			s.Errorf("append %q again: %v", texts, err)
		}
	}
	s.code(kerr.OutOfOrderSequenceNumber, r.append(w.tp, w.many(2, "c", "d")).ErrorCode, "append a batch that begins in the last")
	s.holds(w.tp, "a", "b", "c")
}

func sequenceGap(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	r.appends(w.tp, 0, w.many(0, "a"))
	for range 2 {
		s.code(kerr.OutOfOrderSequenceNumber, r.append(w.tp, w.many(2, "c")).ErrorCode, "append 2 after 0")
	}
	r.appends(w.tp, 1, w.many(1, "b"))
	r.appends(w.tp, 2, w.many(2, "c"))
	s.holds(w.tp, "a", "b", "c")
}

func sequencesBeginAtZero(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	r.appends(w.tp, 0, w.many(0, "a"))
	w.epoch++
	s.code(kerr.OutOfOrderSequenceNumber, r.append(w.tp, w.many(1, "b")).ErrorCode, "append 1 in a new epoch")
	r.appends(w.tp, 1, w.many(0, "a")) // another epoch, so not a duplicate
	w.epoch--
	s.code(kerr.InvalidProducerEpoch, r.append(w.tp, w.many(1, "b")).ErrorCode, "append in the old epoch")
	s.code(kerr.InvalidProducerEpoch, r.append(w.tp, w.many(0, "a")).ErrorCode, "append again in the old epoch")
	s.holds(w.tp, "a", "a")
}

func sequencesWrap(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	r.appends(w.tp, 0, w.many(math.MaxInt32-2, "a")) // a producer that the broker does not know may start at any number
	r.appends(w.tp, 1, w.many(math.MaxInt32-1, "b", "c", "d"))
	r.appends(w.tp, 4, w.many(1, "e"))
	r.appends(w.tp, 1, w.many(math.MaxInt32-1, "b", "c", "d"))
	s.holds(w.tp, "a", "b", "c", "d", "e")
}

func sequencesOfPartitions(s *subject) {
	w, r, other := s.rawIdempotent(), s.raw(), s.ready()
	r.appends(w.tp, 0, w.many(0, "a"))
	r.appends(other, 0, w.many(0, "b"))
	r.appends(w.tp, 1, w.many(1, "c"))
	s.code(kerr.OutOfOrderSequenceNumber, r.append(other, w.many(2, "d")).ErrorCode, "append 2 after 0")
	s.holds(w.tp, "a", "c")
	s.holds(other, "b")
}

func sequencesOfProducers(s *subject) {
	w, other, r := s.rawIdempotent(), s.rawIdempotent(), s.raw()
	for i := range int32(3) {
		r.appends(w.tp, int64(2*i), w.many(i, "w"))
		r.appends(w.tp, int64(2*i+1), other.many(i, "other"))
	}
	r.appends(w.tp, 4, w.many(2, "w"))
	s.isAt(w.tp, kafka.Latest, 6)
}

func sequencesAfterDelete(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	r.appends(w.tp, 0, w.many(0, "a"))
	r.appends(w.tp, 1, w.many(1, "b"))
	s.must(s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{w.tp: -1}))
	r.appends(w.tp, 2, w.many(2, "c"))
	r.appends(w.tp, 2, w.many(2, "c"))
	s.isAt(w.tp, kafka.Latest, 3)
}

func sequenceNone(s *subject) {
	w, r := s.rawIdempotent(), s.raw()
	s.code(kerr.InvalidRecord, r.append(w.tp, w.many(-1, "a")).ErrorCode, "append without a sequence number")
	s.isAt(w.tp, kafka.Latest, 0)
}

func producerIDsAreNew(s *subject) {
	seen := make(map[int64]bool)
	for range 20 {
		w := s.rawIdempotent()
		if seen[w.id] || w.id < 0 || w.epoch != 0 {
			s.Errorf("producer id %d, epoch %d", w.id, w.epoch)
		}
		seen[w.id] = true
	}
}
