package store

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

var one = PartitionID{Topic: 7, Partition: 1}

// comesBack checks that an encoded entry can be decoded, and that a truncated one cannot.
func comesBack[T any](t *testing.T, want T, encoded []byte, decode func([]byte) (T, error)) {
	t.Helper()
	got, err := decode(encoded)
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	for n := range encoded {
		if _, err := decode(encoded[:n]); err == nil {
			t.Errorf("%T: %d of %d bytes are accepted as an entry", want, n, len(encoded))
		}
	}
	if _, err := decode(append(slices.Clone(encoded), 0)); err == nil {
		t.Errorf("%T: an additional byte is accepted", want)
	}
}

func TestEntriesComeBack(t *testing.T) {
	counters := Counters{Topic: 3, Producer: 1 << 40}
	comesBack(t, counters, counters.encode(nil), decodeCounters)

	topic := Topic{Name: "vendas", Number: 7, ID: [16]byte{1, 2}, Partitions: 4, Created: 5, Config: map[string]string{"a": "b", "c": ""}}
	comesBack(t, topic, topic.encode(nil), func(b []byte) (Topic, error) { return decodeTopic(nameKey(kindTopic, "vendas"), b) })

	partition := Partition{Start: 1, Next: 9, Size: 300, Cleaned: 4, Horizon: 5, Segment: Segment{Base: 6, Position: 7, MaxTimestamp: -1, First: 9}}
	comesBack(t, partition, partition.encode(nil), decodePartition)

	aborted := Aborted{Producer: 4, First: 10, Last: 20, Stable: 15}
	comesBack(t, aborted, aborted.encode(nil), func(b []byte) (Aborted, error) { return decodeAborted(offsetKey(kindAborted, one, 20), b) })

	producer := Producer{ID: 4, Epoch: 2, CoordinatorEpoch: -1, Transaction: -1, Written: 6, Batches: []SequencedBatch{{1, 2, 3, 4, 5}, {3, 3, 5, 5, 6}}}
	comesBack(t, producer, producer.encode(nil), func(b []byte) (Producer, error) { return decodeProducer(offsetKey(kindProducer, one, 4), b) })

	open := Transaction{
		ID: "t", Producer: transaction.Producer{ID: 4, Epoch: 2}, Last: transaction.NoProducer, Timeout: 60_000,
		State: transaction.Ongoing, Started: 1, Updated: 2,
		Partitions: []transaction.Partition{{Topic: 7, Partition: 1}, {Topic: 8}}, Groups: []string{"meu-grupo", ""},
	}
	comesBack(t, open, encodeTransaction(nil, &open), func(b []byte) (Transaction, error) {
		return decodeTransaction(nameKey(kindTransaction, "t"), b)
	})
	open.State = transaction.Aborted + 1
	if _, err := decodeTransaction(nameKey(kindTransaction, "t"), encodeTransaction(nil, &open)); err == nil {
		t.Error("an unknown state is accepted")
	}

	offset := Offset{Group: "meu-grupo", Producer: 4, Topic: "vendas", Partition: 1, Offset: 9, LeaderEpoch: -1, Committed: 3, Metadata: "ç"}
	comesBack(t, offset, offset.encode(nil), func(b []byte) (Offset, error) { return decodeOffset(pendingKey("meu-grupo", 4, "vendas", 1), b) })
}

// written returns a store in memory with a topic of two batches, and further entries of the test.
func written(t *testing.T, more ...func(b *Batch)) *DB {
	t.Helper()
	db, err := Open(Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b := db.NewBatch()
	b.SetCounters(Counters{Topic: 8, Producer: 2})
	b.SetTopic(&Topic{Name: "vendas", Number: 7, Partitions: 2, Config: map[string]string{}})
	empty, filled := EmptyPartition(), EmptyPartition()
	filled.Next, filled.Size = 4, 200
	b.SetPartition(PartitionID{7, 0}, &empty)
	b.SetPartition(one, &filled)
	b.AppendRecords(one, 0, 1, records("a", "b"))
	b.AppendRecords(one, 2, 3, records("c", "d"))
	for _, add := range more {
		add(b)
	}
	if err := db.Commit(b); err != nil {
		t.Fatal(err)
	}
	return db
}

func records(values ...string) []byte {
	var w batch.Writer
	w.Reset(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1})
	for i, v := range values {
		w.Append(int64(i), 1, nil, []byte(v), nil)
	}
	return slices.Clone(w.Finish(int64(len(values) - 1)))
}

func TestRecordsFromAnyOffset(t *testing.T) {
	db := written(t)
	for offset, want := range [][]int64{{1, 3}, {1, 3}, {3}, {3}, nil} {
		r, err := db.NewReader()
		if err != nil {
			t.Fatal(err)
		}
		var ends []int64
		for stored, err := range r.Records(one, int64(offset)) {
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, stored.Last)
		}
		if !slices.Equal(ends, want) {
			t.Errorf("from %d the batches end at %d, want %d", offset, ends, want)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheckFindsWhatDoesNotFit(t *testing.T) {
	broken := records("x")
	broken[len(broken)-1]++
	for _, test := range []struct {
		says string // "" for no problem
		add  func(b *Batch)
	}{
		{"", func(*Batch) {}},
		{"vendas/1: the batch that ends at 3:", func(b *Batch) { b.SetRecords(one, 3, broken) }},
		{"stored at last offset 2 ends at 3", func(b *Batch) {
			b.AppendRecords(one, 2, 3, records("c", "d"))
			b.SetRecords(one, 2, moved(2, "c", "d"))
		}},
		{"overlaps the one before", func(b *Batch) { b.AppendRecords(one, 1, 3, records("b", "c", "d")) }},
		{"the last batch ends at 5, but the partition at 4", func(b *Batch) { b.AppendRecords(one, 4, 5, records("e", "f")) }},
		{"topic vendas has 1 partitions, not 2", func(b *Batch) { b.del(partitionKey(kindPartition, one)) }},
		{"a partition is left", func(b *Batch) { p := EmptyPartition(); b.SetPartition(PartitionID{3, 0}, &p) }},
		{"which would be assigned again", func(b *Batch) { b.SetCounters(Counters{Topic: 7}) }},
		{"no transactional id owns", func(b *Batch) { b.SetProducer(one, &Producer{ID: 1, Transaction: 2}) }},
		{"which does not exist", func(b *Batch) { b.SetOffset(&Offset{Group: "g", Topic: "lojas"}) }},
	} {
		var problems []string
		if _, err := written(t, test.add).Check(func(p string) { problems = append(problems, p) }); err != nil {
			t.Fatal(err)
		}
		output := strings.Join(problems, "\n")
		if test.says == "" && output != "" || !strings.Contains(output, test.says) {
			t.Errorf("got %q, want %q", output, test.says)
		}
	}
}

// moved returns a batch with another base offset.
func moved(base int64, values ...string) []byte {
	b := records(values...)
	batch.SetBaseOffset(b, base)
	return b
}

func TestADeletedTopicLeavesNothing(t *testing.T) {
	db := written(t, func(b *Batch) {
		b.SetSegment(one, &Segment{Base: 0})
		b.SetProducer(one, &Producer{ID: 1, Transaction: -1})
		b.SetAborted(one, &Aborted{Last: 1})
	})
	b := db.NewBatch()
	b.DeleteTopic(&Topic{Name: "vendas", Number: 7})
	if err := db.Commit(b); err != nil {
		t.Fatal(err)
	}
	it, err := db.pebble.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		if k := kind(it.Key()[0]); k != kindVersion && k != kindCluster && k != kindCounters {
			t.Errorf("%q is left", it.Key())
		}
	}
}
