package kafka

import (
	"fmt"
	"testing"
)

// benchValue has about the size of a vehicle's position in JSON.
var benchValue = make([]byte, 120)

func BenchmarkSend(b *testing.B) {
	for _, partitions := range []int32{1, 8} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			c := dial(b, testBrokers(b))
			topic := makeTopic(b, c, partitions)
			p := newProducer(b, c, ProducerConfig{})
			key := []byte("veiculo-0001")
			ctx := testContext(b)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := p.Send(topic, int32(i)%partitions, Record{Timestamp: int64(i), Key: key, Value: benchValue}); err != nil {
					b.Fatal(err)
				}
				if i%50_000 == 49_999 {
					must(b, p.Flush(ctx))
				}
			}
			must(b, p.Flush(ctx))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/record")
		})
	}
}

func BenchmarkPoll(b *testing.B) {
	const stored = 200_000
	c := dial(b, testBrokers(b))
	tp := TopicPartition{makeTopic(b, c, 1), 0}
	p := newProducer(b, c, ProducerConfig{})
	for i := range stored {
		must(b, p.Send(tp.Topic, tp.Partition, Record{Timestamp: int64(i), Key: []byte("veiculo-0001"), Value: benchValue}))
	}
	ctx := testContext(b)
	must(b, p.Flush(ctx))
	f := newFetcher(b, c, FetcherConfig{})
	b.ReportAllocs()
	b.ResetTimer()
	for read := 0; read < b.N; {
		f.Add(tp, 0)
		for at := int64(0); at < stored && read < b.N; {
			fetched, err := f.Poll(ctx)
			must(b, err)
			for _, got := range fetched {
				must(b, got.Err)
				read += len(got.Records)
				at = got.Next
			}
		}
		f.Remove(tp)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/record")
}

// BenchmarkTransaction measures the round trips of a commit: one record, one offset, the end of the transaction.
func BenchmarkTransaction(b *testing.B) {
	c := dial(b, testBrokers(b))
	tp := TopicPartition{makeTopic(b, c, 1), 0}
	p := newProducer(b, c, ProducerConfig{TransactionalID: unique("txn")})
	ctx := testContext(b)
	ref := GroupRef{Group: unique("group")}
	for i := range b.N {
		send(b, p, tp, "x")
		must(b, p.SendOffsets(ctx, ref, map[TopicPartition]CommittedOffset{tp: {Offset: int64(i)}}))
		must(b, p.Commit(ctx))
	}
}
