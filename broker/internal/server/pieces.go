package server

import (
	"net"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pieces is a response being encoded. Records are not copied, but sent from where they are, between the encoded bytes
// before and after them.
type pieces struct {
	encoded []byte
	records []insertion
}

// insertion holds records and their position in the encoded bytes.
type insertion struct {
	at      int
	records []byte
}

// size returns the total size of all pieces in bytes.
func (p *pieces) size() int {
	size := len(p.encoded)
	for _, i := range p.records {
		size += len(i.records)
	}
	return size
}

// buffers returns the pieces in order.
func (p *pieces) buffers() net.Buffers {
	list := make(net.Buffers, 0, 1+2*len(p.records))
	from := 0
	for _, i := range p.records {
		list = append(list, p.encoded[from:i.at], i.records)
		from = i.at
	}
	return append(list, p.encoded[from:])
}

// appendFetch encodes a fetch response of version 4 or later as kmsg does, except for the records, and without fields
// that the broker never sets: a diverging epoch, another leader, a snapshot.
func (p *pieces) appendFetch(res *kmsg.FetchResponse) {
	flexible := res.IsFlexible()
	b := kbin.AppendInt32(p.encoded, res.ThrottleMillis)
	if res.Version >= 7 {
		b = kbin.AppendInt32(kbin.AppendInt16(b, res.ErrorCode), res.SessionID)
	}
	b = appendLen(b, len(res.Topics), flexible)
	for i := range res.Topics {
		t := &res.Topics[i]
		switch {
		case res.Version >= 13:
			b = append(b, t.TopicID[:]...)
		case flexible:
			b = kbin.AppendCompactString(b, t.Topic)
		default:
			b = kbin.AppendString(b, t.Topic)
		}
		b = appendLen(b, len(t.Partitions), flexible)
		for j := range t.Partitions {
			b = p.appendPartition(b, &t.Partitions[j], res.Version, flexible)
		}
		b = appendNoTags(b, flexible)
	}
	p.encoded = appendNoTags(b, flexible)
}

func (p *pieces) appendPartition(b []byte, f *kmsg.FetchResponseTopicPartition, version int16, flexible bool) []byte {
	b = kbin.AppendInt16(kbin.AppendInt32(b, f.Partition), f.ErrorCode)
	b = kbin.AppendInt64(kbin.AppendInt64(b, f.HighWatermark), f.LastStableOffset)
	if version >= 5 {
		b = kbin.AppendInt64(b, f.LogStartOffset)
	}
	aborted := len(f.AbortedTransactions)
	if f.AbortedTransactions == nil {
		aborted = -1
	}
	b = appendLen(b, aborted, flexible)
	for _, a := range f.AbortedTransactions {
		b = kbin.AppendInt64(kbin.AppendInt64(b, a.ProducerID), a.FirstOffset)
		b = appendNoTags(b, flexible)
	}
	if version >= 11 {
		b = kbin.AppendInt32(b, f.PreferredReadReplica)
	}
	b = appendLen(b, len(f.RecordBatches), flexible)
	if len(f.RecordBatches) > 0 {
		p.records = append(p.records, insertion{len(b), f.RecordBatches})
	}
	return appendNoTags(b, flexible)
}

// appendLen appends the length of a list or of bytes; n is -1 for null.
func appendLen(b []byte, n int, flexible bool) []byte {
	if flexible {
		return kbin.AppendUvarint(b, uint32(n+1))
	}
	return kbin.AppendInt32(b, int32(n))
}

func appendNoTags(b []byte, flexible bool) []byte {
	if flexible {
		return append(b, 0)
	}
	return b
}
