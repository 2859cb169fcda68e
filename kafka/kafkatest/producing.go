package kafkatest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/kafka"
)

var producing = theme{"producing", []testCase{
	{"what is written is read", writtenIsRead},
	{"null is not empty", nullIsNotEmpty},
	{"headers", headers},
	{"timestamps", timestamps},
	{"offsets count up", offsetsCountUp},
	{"partitions are apart", partitionsAreApart},
	{"every compression", everyCompression},
	{"large record", largeRecord},
	{"record too large", recordTooLarge},
	{"refused records among legal ones", refusedAmongLegal},
	{"batches larger than the topic allows", batchesTooLarge},
	{"unknown topic", produceToUnknownTopic},
	{"many batches", manyBatches},
}}

func writtenIsRead(s *subject) {
	tp := s.partition()
	s.produce(tp, "red", "green")
	s.produce(tp, "blue")
	s.holds(tp, "red", "green", "blue")
}

func nullIsNotEmpty(s *subject) {
	tp := s.partition()
	written := []kafka.Record{
		{Timestamp: 1, Key: nil, Value: nil},
		{Timestamp: 1, Key: []byte{}, Value: []byte{}},
		{Timestamp: 1, Key: []byte("key"), Value: nil},
		{Timestamp: 1, Key: nil, Value: []byte("value")},
	}
	s.must(s.write(tp, kafka.ProducerConfig{}, written...))
	read, _ := s.read(tp, 0, kafka.FetcherConfig{})
	if len(read) != len(written) {
		s.Fatalf("read %d records, want %d", len(read), len(written))
	}
	for i, w := range written {
		if r := read[i]; !sameBytes(r.Key, w.Key) || !sameBytes(r.Value, w.Value) {
			s.Errorf("record %d: key %#v, value %#v; want %#v, %#v", i, r.Key, r.Value, w.Key, w.Value)
		}
	}
}

// sameBytes compares two slices and distinguishes nil from empty.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func headers(s *subject) {
	tp := s.partition()
	want := []kafka.Header{{Key: "b", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "b", Value: nil}, {Key: "", Value: []byte("no name")}}
	s.must(s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: 1, Headers: want}, kafka.Record{Timestamp: 1}))
	read, _ := s.read(tp, 0, kafka.FetcherConfig{})
	if len(read) != 2 || len(read[0].Headers) != len(want) || len(read[1].Headers) != 0 {
		s.Fatalf("read %+v", read)
	}
	for i, h := range read[0].Headers {
		if h.Key != want[i].Key || !sameBytes(h.Value, want[i].Value) {
			s.Errorf("header %d: %q=%#v, want %q=%#v", i, h.Key, h.Value, want[i].Key, want[i].Value)
		}
	}
}

func timestamps(s *subject) {
	tp := s.partition()
	var written []kafka.Record
	for _, millis := range []int64{1_767_225_600_000, 0, 1_767_225_599_999} {
		written = append(written, kafka.Record{Timestamp: millis})
	}
	s.must(s.write(tp, kafka.ProducerConfig{}, written...))
	read, _ := s.read(tp, 0, kafka.FetcherConfig{})
	for i, r := range read {
		if r.Timestamp != written[i].Timestamp {
			s.Errorf("record %d has timestamp %d, want %d", i, r.Timestamp, written[i].Timestamp)
		}
	}
}

func offsetsCountUp(s *subject) {
	tp := s.partition()
	p := s.producer(kafka.ProducerConfig{})
	if offset, ok := p.LastOffset(tp); ok {
		s.Errorf("last offset %d before anything was written", offset)
	}
	for round := range int64(3) {
		s.send(p, tp, "a", "b", "c")
		s.must(p.Flush(s.ctx))
		if last, ok := p.LastOffset(tp); !ok || last != round*3+2 {
			s.Errorf("last offset %d (%t), want %d", last, ok, round*3+2)
		}
	}
	read, next := s.read(tp, 0, kafka.FetcherConfig{})
	for i, r := range read {
		if r.Offset != int64(i) {
			s.Errorf("record %d has offset %d", i, r.Offset)
		}
	}
	if len(read) != 9 || next != 9 {
		s.Errorf("read %d records up to %d, want 9", len(read), next)
	}
}

func partitionsAreApart(s *subject) {
	topic := s.topic(3)
	p := s.producer(kafka.ProducerConfig{})
	for i := range int32(3) {
		s.send(p, kafka.TopicPartition{Topic: topic, Partition: i}, strings.Fields("a b c")[:i]...)
	}
	s.must(p.Flush(s.ctx))
	for i := range int32(3) {
		s.holds(kafka.TopicPartition{Topic: topic, Partition: i}, strings.Fields("a b c")[:i]...)
	}
}

func everyCompression(s *subject) {
	for _, compression := range allTypes {
		tp := s.partition()
		var records []kafka.Record
		for i := range 500 {
			records = append(records, kafka.Record{Timestamp: int64(i), Key: fmt.Append(nil, i), Value: []byte(strings.Repeat("river ", i%50))})
		}
		s.must(s.write(tp, kafka.ProducerConfig{Compression: compression}, records...))
		read, _ := s.read(tp, 0, kafka.FetcherConfig{})
		for i := range records {
			records[i].Offset = int64(i)
			if i < len(read) && len(read[i].Headers) == 0 {
				read[i].Headers = nil
			}
		}
		if !reflect.DeepEqual(read, records) {
			s.Errorf("%s: read %d records, want the %d written ones", compression, len(read), len(records))
		}
	}
}

// noise returns incompressible bytes.
func noise(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(b)
	return b
}

func largeRecord(s *subject) {
	tp := s.partition()
	value := noise(900 << 10)
	s.must(s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: 1, Value: value}, kafka.Record{Timestamp: 1, Value: []byte("small")}))
	// Also with limits that are smaller than the record: otherwise a reader could never get past it.
	for _, cfg := range []kafka.FetcherConfig{{}, {MaxBytes: 1000, PartitionMaxBytes: 1000}} {
		read, _ := s.read(tp, 0, cfg)
		if len(read) != 2 || !bytes.Equal(read[0].Value, value) || string(read[1].Value) != "small" {
			s.Errorf("read %d records, or with other values", len(read))
		}
	}
}

func recordTooLarge(s *subject) {
	tp := s.partition(map[string]string{"max.message.bytes": "10000"})
	err := s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: 1, Value: noise(20_000)})
	s.wants(kafka.ErrRecordTooLarge, err, "write 20,000 bytes where 10,000 are allowed")
	s.produce(tp, "small")
	s.holds(tp, "small")
}

// refusedAmongLegal writes batches in which one record in five is invalid, for each reason. Only these are rejected.
func refusedAmongLegal(s *subject) {
	now := time.Now().UnixMilli()
	const hour = 3_600_000
	for name, bad := range map[string]struct {
		config map[string]string
		record kafka.Record
		want   error
	}{
		"too large":   {map[string]string{"max.message.bytes": "10000"}, kafka.Record{Timestamp: now, Key: dot, Value: noise(20_000)}, kafka.ErrRecordTooLarge},
		"too new":     {map[string]string{"message.timestamp.after.max.ms": "3600000"}, kafka.Record{Timestamp: now + 2*hour, Key: dot}, kafka.ErrRefused},
		"too old":     {map[string]string{"message.timestamp.before.max.ms": "3600000"}, kafka.Record{Timestamp: now - 2*hour, Key: dot}, kafka.ErrRefused},
		"without key": {map[string]string{"cleanup.policy": "compact"}, kafka.Record{Timestamp: now}, kafka.ErrRefused},
	} {
		for _, cfg := range []kafka.ProducerConfig{
			{}, {TransactionalID: s.unique()}, {Compression: "zstd"}, {TransactionalID: s.unique(), Compression: "gzip", BatchBytes: 2000},
		} {
			tp := s.partition(bad.config)
			p := s.producer(cfg)
			flush := p.Flush
			if cfg.TransactionalID != "" {
				flush = p.Commit
			}
			var values []string
			for i := range 50 {
				r := kafka.Record{Timestamp: now, Key: fmt.Append(nil, i), Value: fmt.Append(nil, i)}
				if i%5 == 3 {
					r = bad.record
				} else {
					values = append(values, string(r.Value))
				}
				s.must(p.SendTagged(tp.Topic, tp.Partition, r, kafka.Tag{int64(i)}))
			}
			s.wants(bad.want, flush(s.ctx), "write what is "+name)
			refused := p.TakeRefusals()
			for i, r := range refused {
				if r.Tag[0] != int64(5*i+3) {
					s.Errorf("%s: rejected record %d: %v", name, r.Tag[0], r)
				}
			}
			if len(refused) != 10 {
				s.Errorf("%s: %d records were rejected, want 10", name, len(refused))
			}
			s.must(flush(s.ctx))
			s.must(p.Send(tp.Topic, tp.Partition, kafka.Record{Timestamp: now, Key: dot, Value: []byte("after")}))
			s.must(flush(s.ctx))
			s.holds(tp, append(values, "after")...)
		}
	}
}

func batchesTooLarge(s *subject) {
	for _, cfg := range []kafka.ProducerConfig{{}, {Compression: "lz4"}} {
		tp := s.partition(map[string]string{"max.message.bytes": "10000"})
		var records []kafka.Record
		for i := range 300 {
			records = append(records, kafka.Record{Offset: int64(i), Timestamp: int64(i), Key: dot, Value: noise(1 + 30*i)})
		}
		s.must(s.write(tp, cfg, records...))
		read, _ := s.read(tp, 0, kafka.FetcherConfig{})
		if !slices.EqualFunc(read, records, func(a, b kafka.Record) bool { return bytes.Equal(a.Value, b.Value) && a.Timestamp == b.Timestamp }) {
			s.Errorf("%+v: read %d records, want the %d written ones", cfg, len(read), len(records))
		}
	}
}

func produceToUnknownTopic(s *subject) {
	err := s.impatient().write(kafka.TopicPartition{Topic: s.unique()}, kafka.ProducerConfig{}, kafka.Record{Timestamp: 1})
	s.wants(kafka.ErrUnknownTopic, err, "write to a topic that does not exist")
}

func manyBatches(s *subject) {
	tp := s.partition()
	const n = 20_000
	p := s.producer(kafka.ProducerConfig{BatchBytes: 4 << 10})
	for i := range n {
		s.must(p.Send(tp.Topic, tp.Partition, kafka.Record{Timestamp: 1, Value: fmt.Append(nil, i)}))
	}
	s.must(p.Flush(s.ctx))
	read, _ := s.read(tp, 0, kafka.FetcherConfig{PartitionMaxBytes: 64 << 10})
	if len(read) != n {
		s.Fatalf("read %d records, want %d", len(read), n)
	}
	for i, r := range read {
		if string(r.Value) != fmt.Sprint(i) || r.Offset != int64(i) {
			s.Fatalf("record %d is %q at %d", i, r.Value, r.Offset)
		}
	}
}
