package kafkatest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// raw is a plain connection to the first configured broker: no retries, no routing, no negotiation of versions. Tests that
// use it require a cluster of one broker.
type raw struct {
	*connection
	s       *subject
	version int16 // of all requests; newest unless a test chooses one
}

// connection is shared by all copies of a raw that at returns.
type connection struct {
	net.Conn
	newest      map[int16]int16 // newest version that both the broker and kmsg support, by request
	correlation int32
}

const newest = -1

func (s *subject) raw() *raw {
	s.Helper()
	conn, err := (&net.Dialer{}).DialContext(s.ctx, "tcp", s.cfg.Brokers[0])
	s.must(err)
	s.Cleanup(func() { conn.Close() })
	deadline, _ := s.ctx.Deadline()
	s.must(conn.SetDeadline(deadline))
	r := &raw{connection: &connection{Conn: conn}, s: s}
	versions := ask(r, kmsg.NewPtrApiVersionsRequest())
	r.newest = make(map[int16]int16)
	for _, k := range versions.ApiKeys {
		if req := kmsg.RequestForKey(k.ApiKey); req != nil {
			r.newest[k.ApiKey] = min(k.MaxVersion, req.MaxVersion())
		}
	}
	r.version = newest
	return r
}

// at returns the same connection with another version for its requests.
func (r *raw) at(version int16) *raw { return &raw{connection: r.connection, s: r.s, version: version} }

// request is a request and the type of its response.
type request[R any] interface {
	kmsg.Request
	RequestWith(ctx context.Context, r kmsg.Requestor) (R, error)
}

// ask sends req and returns the response.
func ask[R any](r *raw, req request[R]) R {
	r.s.Helper()
	res, err := req.RequestWith(r.s.ctx, r)
	r.s.must(err)
	return res
}

// Request implements kmsg.Requestor; tests use ask.
func (r *raw) Request(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
	r.s.Helper()
	return r.start(req)(), nil
}

// start sends req and returns a function that waits for the response. Responses come in the order of the requests.
func (r *raw) start(req kmsg.Request) func() kmsg.Response {
	r.s.Helper()
	version := r.version
	if version == newest {
		version = r.newest[req.Key()]
	}
	req.SetVersion(version)
	r.correlation++
	correlation := r.correlation
	_, err := r.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("kafkatest")).AppendRequest(nil, req, correlation))
	r.s.must(err)
	return func() kmsg.Response {
		r.s.Helper()
		frame := r.frame(correlation)
		res := req.ResponseKind()
		res.SetVersion(version)
		if res.IsFlexible() && res.Key() != int16(kmsg.ApiVersions) {
			frame = frame[1:] // tagged fields of the header; no broker sends any
		}
		if err := res.ReadFrom(frame); err != nil {
			r.s.Fatalf("response to %s v%d: %v", kmsg.NameForKey(req.Key()), version, err)
		}
		return res
	}
}

// frame reads a response and returns the bytes after the correlation id.
func (r *raw) frame(correlation int32) []byte {
	r.s.Helper()
	var size [4]byte
	_, err := io.ReadFull(r, size[:])
	r.s.must(err)
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err = io.ReadFull(r, frame)
	r.s.must(err)
	if got := int32(binary.BigEndian.Uint32(frame)); got != correlation {
		r.s.Fatalf("response to request %d, want %d", got, correlation)
	}
	return frame[4:]
}

// code checks that the error code of a response is that of want.
func (s *subject) code(want error, code int16, doing string) {
	s.Helper()
	s.wants(want, kerr.ErrorForCode(code), doing)
}

// transient lists the errors of a coordinator that is not ready yet; a client retries after them.
var transient = []error{
	kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.ConcurrentTransactions,
}

// settle calls ask until it returns a code that is not transient, and returns that code.
func (s *subject) settle(ask func() int16) (code int16) {
	s.Helper()
	eventually(s, "the coordinator is ready", func() bool {
		code = ask()
		return code == 0 || !slices.Contains(transient, kerr.ErrorForCode(code))
	})
	return code
}

// coordinated waits until the broker is the coordinator of a group (kind 0) or transactional id (kind 1).
func (r *raw) coordinated(kind int8, name string) {
	r.s.Helper()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorType, req.CoordinatorKeys = kind, []string{name}
	r.s.must(kerr.ErrorForCode(r.s.settle(func() int16 { return ask(r.at(4), req).Coordinators[0].ErrorCode })))
	if kind == 0 { // the first request may still come too early
		r.s.settle(func() int16 { return ask(r.at(7), offsetFetch(name)).ErrorCode })
	}
}

// ready is like partition, but also waits until the partition has a leader, which may take a moment after the topic was
// created.
func (s *subject) ready(config ...map[string]string) kafka.TopicPartition {
	s.Helper()
	tp := s.partition(config...)
	s.isAt(tp, kafka.Latest, 0) // package kafka retries
	return tp
}

// topicID returns the id of a topic.
func (r *raw) topicID(topic string) [16]byte {
	r.s.Helper()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	res := ask(r, req).Topics[0]
	r.s.must(kerr.ErrorForCode(res.ErrorCode))
	return res.TopicID
}

// append writes a batch to tp and returns the response for it.
func (r *raw) append(tp kafka.TopicPartition, records []byte) kmsg.ProduceResponseTopicPartition {
	r.s.Helper()
	return r.appendAcked(-1, tp, records)
}

func (r *raw) appendAcked(acks int16, tp kafka.TopicPartition, records []byte) kmsg.ProduceResponseTopicPartition {
	r.s.Helper()
	if r.version == newest {
		r = r.at(11) // the last version without implicit transaction partitions, and with topic names
	}
	return ask(r, produceRequest(acks, tp, records)).Topics[0].Partitions[0]
}

func produceRequest(acks int16, tp kafka.TopicPartition, records []byte) *kmsg.ProduceRequest {
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Partition, partition.Records = tp.Partition, records
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = tp.Topic, []kmsg.ProduceRequestTopicPartition{partition}
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = acks, int32(waitTimeout/time.Millisecond)
	req.Topics = []kmsg.ProduceRequestTopic{topic}
	return req
}

// appends calls append and checks that it succeeds at an offset.
func (r *raw) appends(tp kafka.TopicPartition, want int64, records []byte) {
	r.s.Helper()
	if res := r.append(tp, records); res.ErrorCode != 0 || res.BaseOffset != want {
		r.s.Errorf("written at %d, %v; want %d", res.BaseOffset, kerr.ErrorForCode(res.ErrorCode), want)
	}
}

// name returns a pointer to a name, for nullable fields of the protocol.
func name(topic string) *string { return &topic }
