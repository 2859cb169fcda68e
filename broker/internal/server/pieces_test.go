package server

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// In every version, the pieces of a fetch response are the same bytes as kmsg's encoding.
func TestPiecesAreWhatKmsgEncodes(t *testing.T) {
	for version := int16(4); version <= 17; version++ {
		rapid.Check(t, func(t *rapid.T) {
			res := fetchResponse(t)
			res.Version = version
			p := pieces{encoded: []byte("header")}
			p.appendFetch(res)
			want := res.AppendTo([]byte("header"))
			if got := bytes.Join(p.buffers(), nil); !bytes.Equal(got, want) {
				t.Errorf("version %d:\ngot  % x\nwant % x", version, got, want)
			}
			if p.size() != len(want) {
				t.Errorf("version %d: size %d, want %d", version, p.size(), len(want))
			}
		})
	}
}

func fetchResponse(t *rapid.T) *kmsg.FetchResponse {
	res := kmsg.NewPtrFetchResponse()
	res.ErrorCode, res.SessionID = rapid.Int16().Draw(t, "error"), rapid.Int32().Draw(t, "session")
	for range rapid.IntRange(0, 3).Draw(t, "topics") {
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic = rapid.StringN(0, 200, 249).Draw(t, "topic")
		copy(topic.TopicID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		for range rapid.IntRange(0, 3).Draw(t, "partitions") {
			topic.Partitions = append(topic.Partitions, fetchedPartition(t))
		}
		res.Topics = append(res.Topics, topic)
	}
	return res
}

func fetchedPartition(t *rapid.T) kmsg.FetchResponseTopicPartition {
	p := kmsg.NewFetchResponseTopicPartition()
	p.Partition, p.ErrorCode = rapid.Int32().Draw(t, "partition"), rapid.Int16().Draw(t, "error")
	p.HighWatermark, p.LastStableOffset, p.LogStartOffset = rapid.Int64().Draw(t, "high"), rapid.Int64().Draw(t, "stable"), rapid.Int64().Draw(t, "start")
	p.RecordBatches = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "records")
	for range rapid.IntRange(-1, 3).Draw(t, "aborted") {
		a := kmsg.NewFetchResponseTopicPartitionAbortedTransaction()
		a.ProducerID, a.FirstOffset = rapid.Int64().Draw(t, "producer"), rapid.Int64().Draw(t, "first")
		p.AbortedTransactions = append(p.AbortedTransactions, a)
	}
	if p.AbortedTransactions == nil && rapid.Bool().Draw(t, "none") {
		p.AbortedTransactions = []kmsg.FetchResponseTopicPartitionAbortedTransaction{}
	}
	return p
}
