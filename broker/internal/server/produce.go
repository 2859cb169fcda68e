package server

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// maxEntries is how many topics and partitions a request to produce may list, together. The smallest batch has about 70
	// bytes, so a Java client sends at most 15,000 partitions at once (max.request.size is 1 MiB). In memory an entry is 64
	// bytes, and what the engine makes of it some 300 more, which the weight of a request does not count: 7 MiB in all.
	maxEntries = 20_000

	// maxNames is how many bytes the names in a request to produce may have together. They are copied, so they count twice.
	maxNames = maxOtherFrame
)

// readRequest reads the body of a request. Requests to produce may be large, so they are read by readProduce: to ReadFrom of
// kmsg an entry of a list that has three bytes is worth more than twenty times as many in memory, and it has no bound.
func readRequest(req kmsg.Request, body []byte) error {
	if produce, ok := req.(*kmsg.ProduceRequest); ok {
		return readProduce(produce, body)
	}
	return req.ReadFrom(body)
}

// readProduce reads a request to produce, whose version is set. The records are a part of body. What is accepted is what kmsg
// accepts, also with bytes behind the end, but within maxEntries and maxNames, and no list is null. Tags are passed over: there
// are none yet. Errors name topics and partitions by their place in the lists, from 0.
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
// Before version 9 the length of a string is an int16, that of bytes and lists an int32, and null is a negative one. From
// version 9 all are uvarints, greater by one, and null is 0.
func readProduce(req *kmsg.ProduceRequest, body []byte) error {
	r := produceReader{wireReader: wireReader{left: body, flexible: req.IsFlexible()}, byID: req.Version >= 13}
	req.TransactionID = r.nullableString("transactional id")
	req.Acks = int16(r.uint16("acks"))
	req.TimeoutMillis = int32(r.uint32("timeout"))
	req.Topics = nil
	if n := r.entries("topics", r.leastTopic()); n > 0 {
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
	if n := r.entries("partitions", r.leastPartition()); n > 0 {
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

// produceReader reads the parts of a request to produce.
type produceReader struct {
	wireReader
	byID   bool
	listed int64 // entries so far, of all lists
	copied int64 // bytes of names so far
}

// leastTopic is how many bytes a topic takes at least: an empty name or an id, an empty list and no tags.
func (r *produceReader) leastTopic() int64 {
	switch {
	case r.byID:
		return 16 + 1 + 1
	case r.flexible:
		return 1 + 1 + 1
	default:
		return 2 + 4
	}
}

// leastPartition is how many bytes a partition takes at least: its number, no records and no tags.
func (r *produceReader) leastPartition() int64 {
	if r.flexible {
		return 4 + 1 + 1
	}
	return 4 + 4
}

// entries reads how many entries a list has, each of at least so many bytes. It is 0 after an error.
func (r *produceReader) entries(what string, least int64) int64 {
	n := r.length(what)
	r.listed += max(n, 0)
	switch {
	case r.err != nil:
	case n < 0:
		r.fail("%s: null", what)
	case n > int64(len(r.left))/least:
		r.fail("%s: %d of at least %d bytes each are claimed, %d bytes are left", what, n, least, len(r.left))
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

// string copies n bytes, so that whoever keeps a name does not keep the records.
func (r *produceReader) string(what string, n int64) string {
	if r.copied += n; r.copied > maxNames {
		r.fail("%s: more than %d bytes of names in one request", what, maxNames)
	}
	return string(r.span(what, n))
}
