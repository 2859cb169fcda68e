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

// raw is one connection to a broker on which nothing is done for the test: no retry, no routing, no version that it did not
// ask for. The broker is the first of the configuration, so the tests that use it are for brokers that are alone.
type raw struct {
	*connection
	s       *subject
	version int16 // of all requests; newest unless a test chooses
}

// connection is what all views of one raw share.
type connection struct {
	net.Conn
	newest      map[int16]int16 // by request, what both the broker and kmsg speak
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

// at returns the same connection, on which requests are sent in the given version.
func (r *raw) at(version int16) *raw { return &raw{connection: r.connection, s: r.s, version: version} }

// request is a request and the type of its answer.
type request[R any] interface {
	kmsg.Request
	RequestWith(ctx context.Context, r kmsg.Requestor) (R, error)
}

// ask sends req and returns the answer.
func ask[R any](r *raw, req request[R]) R {
	r.s.Helper()
	res, err := req.RequestWith(r.s.ctx, r)
	r.s.must(err)
	return res
}

// Request makes raw a kmsg.Requestor; tests use ask.
func (r *raw) Request(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
	r.s.Helper()
	return r.tell(req)(), nil
}

// tell sends req and returns the function that waits for the answer. Answers come in the order of the requests.
func (r *raw) tell(req kmsg.Request) func() kmsg.Response {
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
			frame = frame[1:] // the tags of the header; no broker sends any
		}
		if err := res.ReadFrom(frame); err != nil {
			r.s.Fatalf("answer to %s v%d: %v", kmsg.NameForKey(req.Key()), version, err)
		}
		return res
	}
}

// frame reads an answer and returns what follows the correlation id.
func (r *raw) frame(correlation int32) []byte {
	r.s.Helper()
	var size [4]byte
	_, err := io.ReadFull(r, size[:])
	r.s.must(err)
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err = io.ReadFull(r, frame)
	r.s.must(err)
	if got := int32(binary.BigEndian.Uint32(frame)); got != correlation {
		r.s.Fatalf("an answer to request %d, where %d is next", got, correlation)
	}
	return frame[4:]
}

// code complains unless an answer has the error code of want.
func (s *subject) code(want error, code int16, doing string) {
	s.Helper()
	s.wants(want, kerr.ErrorForCode(code), doing)
}

// passing are the transient errors of a coordinator that is not ready yet; a client retries.
var passing = []error{
	kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.ConcurrentTransactions,
}

// settle calls ask until it returns a code other than those of passing, and returns that code.
func (s *subject) settle(ask func() int16) (code int16) {
	s.Helper()
	eventually(s, "the coordinator is ready", func() bool {
		code = ask()
		return code == 0 || !slices.Contains(passing, kerr.ErrorForCode(code))
	})
	return code
}

// coordinated waits until the broker coordinates groups (0) or transactions (1) of that name.
func (r *raw) coordinated(kind int8, name string) {
	r.s.Helper()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorType, req.CoordinatorKeys = kind, []string{name}
	r.s.must(kerr.ErrorForCode(r.s.settle(func() int16 { return ask(r.at(4), req).Coordinators[0].ErrorCode })))
	if kind == 0 { // the first question may still come too early
		r.s.settle(func() int16 { return ask(r.at(7), offsetFetch(name)).ErrorCode })
	}
}

// ready is partition that also waits until its leader answers, which a broker may not yet do when it has created a topic.
func (s *subject) ready(config ...map[string]string) kafka.TopicPartition {
	s.Helper()
	tp := s.partition(config...)
	s.isAt(tp, kafka.Latest, 0) // package kafka asks again
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

// append writes a batch to tp and returns what the broker says of it.
func (r *raw) append(tp kafka.TopicPartition, records []byte) kmsg.ProduceResponseTopicPartition {
	r.s.Helper()
	return r.appendAcked(-1, tp, records)
}

func (r *raw) appendAcked(acks int16, tp kafka.TopicPartition, records []byte) kmsg.ProduceResponseTopicPartition {
	r.s.Helper()
	if r.version == newest {
		r = r.at(11) // the last one that knows of no implicit parts of transactions, and has topics by name
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

// appends is append that must succeed, at an offset.
func (r *raw) appends(tp kafka.TopicPartition, want int64, records []byte) {
	r.s.Helper()
	if res := r.append(tp, records); res.ErrorCode != 0 || res.BaseOffset != want {
		r.s.Errorf("written at %d, %v; want %d", res.BaseOffset, kerr.ErrorForCode(res.ErrorCode), want)
	}
}

// name says a topic's name where the protocol wants a pointer, so that it can be null.
func name(topic string) *string { return &topic }
