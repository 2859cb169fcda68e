package server

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// maxEntries bounds the topics and partitions listed in a produce request, in total. The smallest batch has about
	// 70 bytes, so a Java client sends at most 15,000 partitions at once (max.request.size is 1 MiB). In memory an
	// entry takes 64 bytes, and about 300 more in the engine, which the weight of a request does not include: 7 MiB in
	// all.
	maxEntries = 20_000

	// maxNames bounds the total size of the names in a produce request. They are copied, so they take memory twice.
	maxNames = maxOtherFrame
)

// readRequest decodes the body of a request. Produce requests may be large, so readProduce decodes them: ReadFrom of
// kmsg allocates more than twenty times the size of a list entry, without a limit.
func readRequest(req kmsg.Request, body []byte) error {
	if produce, ok := req.(*kmsg.ProduceRequest); ok {
		return readProduce(produce, body)
	}
	return req.ReadFrom(body)
}

// readProduce decodes a produce request, whose version is set. The records alias body. It accepts what kmsg accepts,
// including bytes after the end, but at most maxEntries and maxNames, and no null lists. It skips tags: none are
// defined. Errors identify topics and partitions by their index in the lists, from 0.
//
//	transactional id   string or null
//	acks               int16
//	timeout            int32, milliseconds
//	topics             list
//	  name             string, before version 13
//	  id               16 bytes, from version 13
//	  partitions       list
//	    number         int32
//	    records        bytes or null
//	    tags           from version 9
//	  tags             from version 9
//	tags               from version 9
//
// Before version 9 the length of a string is an int16, that of bytes and lists an int32, and null is a negative length.
// From version 9 all lengths are uvarints, plus one, and null is 0.
func readProduce(req *kmsg.ProduceRequest, body []byte) error {
	r := produceReader{wireReader: wireReader{left: body, flexible: req.IsFlexible()}, byID: req.Version >= 13}
	req.TransactionID = r.nullableString("transactional id")
	req.Acks = int16(r.uint16("acks"))
	req.TimeoutMillis = int32(r.uint32("timeout"))
	req.Topics = nil
	if n := r.entries("topics", r.minTopicBytes()); n > 0 {
		req.Topics = make([]kmsg.ProduceRequestTopic, n)
	}
	for i := range req.Topics {
		if err := r.topic(&req.Topics[i]); err != nil {
			return fmt.Errorf("topic %d: %w", i, err)
		}
	}
	r.tags()
	return r.err
}

func (r *produceReader) topic(t *kmsg.ProduceRequestTopic) error {
	if r.byID {
		copy(t.TopicID[:], r.span("id", int64(len(t.TopicID))))
	} else {
		t.Topic = r.string("name", r.stringLength("name"))
	}
	if n := r.entries("partitions", r.minPartitionBytes()); n > 0 {
		t.Partitions = make([]kmsg.ProduceRequestTopicPartition, n)
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		p.Partition = int32(r.uint32("number"))
		if n := r.length("records"); n >= 0 {
			p.Records = r.span("records", n)
		}
		r.tags()
		if r.err != nil {
			return fmt.Errorf("partition %d: %w", i, r.err)
		}
	}
	r.tags()
	return r.err
}

// produceReader decodes the parts of a produce request.
type produceReader struct {
	wireReader
	byID   bool
	listed int64 // entries so far, of all lists
	copied int64 // bytes of names so far
}

// minTopicBytes is the smallest encoding of a topic: an empty name or an id, an empty list and no tags.
func (r *produceReader) minTopicBytes() int64 {
	switch {
	case r.byID:
		return 16 + 1 + 1
	case r.flexible:
		return 1 + 1 + 1
	default:
		return 2 + 4
	}
}

// minPartitionBytes is the smallest encoding of a partition: its number, no records and no tags.
func (r *produceReader) minPartitionBytes() int64 {
	if r.flexible {
		return 4 + 1 + 1
	}
	return 4 + 4
}

// entries reads the length of a list and refuses one that cannot fit into the rest of the request: least is the smallest size
// of an entry, in bytes. It returns 0 after an error.
func (r *produceReader) entries(what string, least int64) int64 {
	n := r.length(what)
	r.listed += max(n, 0)
	switch {
	case r.err != nil:
	case n < 0:
		r.fail("%s: null", what)
	case n > int64(len(r.left))/least:
		r.fail("%s: the request claims %d of at least %d bytes each, but %d bytes are left", what, n, least, len(r.left))
	case r.listed > maxEntries:
		r.fail("%s: more than %d topics and partitions in one request", what, maxEntries)
	default:
		return n
	}
	return 0
}

func (r *produceReader) nullableString(what string) *string {
	n := r.stringLength(what)
	if n < 0 {
		return nil
	}
	s := r.string(what, n)
	return &s
}

// string copies n bytes, so that keeping a name does not keep the records alive.
func (r *produceReader) string(what string, n int64) string {
	if r.copied += n; r.copied > maxNames {
		r.fail("%s: more than %d bytes of names in one request", what, maxNames)
	}
	return string(r.span(what, n))
}
