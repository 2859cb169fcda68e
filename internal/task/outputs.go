package task

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// outputs holds what one record, or one timer, has emitted until it is known to have succeeded.
type outputs struct {
	records []output
	arena   []byte             // keys and values, one after the other
	headers []processor.Header // of the record that is being sent
	origin  []byte             // the value of its origin header
}

type output struct {
	topic      *plan.Topic
	step       *plan.Node // that writes it
	key, value span
	timestamp  int64
	headers    []processor.Header
	failure    *processor.Error // instead of all this: what a policy leaves out
	action     processor.Action // of that policy
}

// span is a part of the arena; null is a negative start.
type span struct{ start, end int }

func (o *outputs) reset() { o.records, o.arena = o.records[:0], o.arena[:0] }

func (o *outputs) keep(b []byte) span {
	if b == nil {
		return span{-1, -1}
	}
	if o.arena == nil {
		o.arena = []byte{} // a part of nothing would be nil, which is null
	}
	start := len(o.arena)
	o.arena = append(o.arena, b...)
	return span{start, len(o.arena)}
}

func (o *outputs) bytes(s span) []byte {
	if s.start < 0 {
		return nil
	}
	return o.arena[s.start:s.end:s.end]
}

// Send keeps an emitted record until its cause has succeeded.
func (t *Task) Send(topic *plan.Topic, key, value []byte, timestamp int64, headers []processor.Header) {
	o := &t.outputs
	o.records = append(o.records, output{topic: topic, step: t.step, key: o.keep(key), value: o.keep(value), timestamp: timestamp, headers: headers})
}

// SendFailed applies the produce policy to a result that could not be encoded: that of the sink, or of the border around
// it, or else of the application. The other results of the record go on, and what the policy does waits, as they do, until
// their cause has succeeded.
func (t *Task) SendFailed(n *plan.Node, cause error) error {
	cause = fmt.Errorf("topic %s: %w", t.cfg.Names.Topic(n.Writes), cause)
	if t.borders.depth > 0 && (n.OnError == nil || n.Kind != "sink") {
		return plan.At(n, &plan.EncodeError{Err: cause})
	}
	failure := t.failure(processor.Produce, label(n), cause)
	action := t.policyOf(processor.Produce, n).Action
	if action == processor.Fail {
		return failure
	}
	t.outputs.leaveOut(failure, action)
	return nil
}

// leaveOut keeps what a policy has decided until the record has succeeded otherwise.
func (o *outputs) leaveOut(failure *processor.Error, action processor.Action) {
	o.records = append(o.records, output{failure: failure, action: action})
}

// truncate drops the outputs since a savepoint.
func (o *outputs) truncate(s plan.Savepoint) {
	o.records, o.arena = o.records[:s.Records], o.arena[:s.Arena]
}

// send hands the kept records on. The first that the log refuses is the produce policy's; other errors end the task.
func (o *outputs) send(t *Task) error {
	for i := range o.records {
		r := &o.records[i]
		if r.failure != nil {
			if err := t.leaveOut(r.failure, r.action, t.hand.raw); err != nil {
				return err
			}
			continue
		}
		out := Out{
			Topic: t.topicName(r.topic), Partition: t.partitionOf(r.topic, o.bytes(r.key)),
			Key: o.bytes(r.key), Value: o.bytes(r.value), Timestamp: r.timestamp, Headers: r.headers,
			Step: r.step, Origin: t.hand.at(),
		}
		if r.topic.Internal && t.hand.raw != nil {
			out.Headers = o.withOrigin(r.headers, t.hand.origin())
		}
		err := checkTime(out.Timestamp)
		if err == nil {
			err = t.cfg.Output.Send(out)
		}
		switch {
		case errors.Is(err, ErrRefused):
			err = t.failed(processor.Produce, r.step, label(r.step), err)
		case err != nil:
			err = t.wrap(err)
		default:
			t.sent = true
			t.counters.Sent++
		}
		if err != nil {
			return err
		}
	}
	o.reset()
	return nil
}

// checkTime refuses a time that a step has given a record and that Kafka cannot write.
func checkTime(ms int64) error {
	if ms < 0 || ms > state.LatestTime {
		return fmt.Errorf("%w: its time, %d ms, is not within the years 1970 to 2262", ErrRefused, ms)
	}
	return nil
}

// topicName returns the name of a topic in the log. It is asked for each record and made once.
func (t *Task) topicName(topic *plan.Topic) string {
	name, ok := t.names[topic]
	if !ok {
		name = t.cfg.Names.Topic(topic)
		t.names[topic] = name
	}
	return name
}

// withOrigin returns headers and behind them the one that says where a record comes from. They are good until the next
// call.
func (o *outputs) withOrigin(headers []processor.Header, origin processor.Origin) []processor.Header {
	o.origin = plan.AppendOrigin(o.origin[:0], origin)
	o.headers = append(append(o.headers[:0], headers...), processor.Header{Key: plan.OriginHeader, Value: o.origin})
	return o.headers
}

// originOf returns the record of the user's that a record of a repartition topic was made from. Without a source record it
// is the record itself, which was read at at.
func (in *input) originOf(raw *plan.Raw, at processor.Origin) processor.Origin {
	_, value := plan.SplitOrigin(raw.Headers)
	if value == nil {
		return at
	}
	origin, ok := plan.ParseOrigin(value, in.from)
	if !ok {
		return at
	}
	in.from = origin.Topic
	return origin
}

// maxStack bounds the stack in a dead letter, so that it is no reason to refuse it.
const maxStack = 16 << 10

// errorType names the type of the error that a step returned, without what was only wrapped around it, or that of the
// value that it panicked with.
func errorType(err error) string {
	for {
		if p, ok := err.(*plan.PanicError); ok {
			return fmt.Sprintf("panic %T", p.Value)
		}
		name := fmt.Sprintf("%T", err)
		inner := errors.Unwrap(err)
		if _, step := err.(*plan.StepError); inner == nil || !step && name != "*fmt.wrapError" {
			return name
		}
		err = inner
	}
}

// partitionOf places a record as the Java clients do. Records without a key stay in the number of their task, so that
// a replay puts them there again.
func (t *Task) partitionOf(topic *plan.Topic, key []byte) int32 {
	n := max(t.cfg.Counts[topic.Name], 1)
	if key == nil {
		return t.cfg.Partition % n
	}
	return topic.Partition(key, n)
}

// deadLetter is a source record with headers that say what happened, named as in KIP-1034. A record that is not in the log any more
// (raw is nil) leaves its headers only.
func (t *Task) deadLetter(e *processor.Error, raw *plan.Raw) Out {
	if raw == nil {
		raw = new(plan.Raw)
	}
	const prefix = "__streams.errors."
	header := func(name, value string) processor.Header {
		return processor.Header{Key: prefix + name, Value: []byte(value)}
	}
	n := max(t.cfg.Counts[t.cfg.Policies.DeadLetters], 1)
	message, stack, _ := strings.Cut(e.Err.Error(), "\n")
	headers, _ := plan.SplitOrigin(raw.Headers)
	headers = append(headers[:len(headers):len(headers)],
		header("exception", errorType(e.Err)),
		header("message", message),
		header("topic", e.Origin.Topic),
		header("partition", strconv.Itoa(int(e.Origin.Partition))),
		header("offset", strconv.FormatInt(e.Origin.Offset, 10)),
		header("stage", string(e.Stage)),
		header("step", e.Step),
	)
	if stack != "" {
		headers = append(headers, header("stacktrace", stack[:min(len(stack), maxStack)]))
	}
	if e.Via != (processor.Origin{}) {
		headers = append(headers, header("via", e.Via.String()))
	}
	// Brokers refuse times that are far ahead of their clocks, and this record may be here because of its time.
	timestamp := max(min(raw.Timestamp, t.cfg.Now().UnixMilli()), 0)
	return Out{
		Topic: t.cfg.Policies.DeadLetters, Partition: t.cfg.Partition % n,
		Key: raw.Key, Value: raw.Value, Timestamp: timestamp, Headers: headers,
		Kind: Letter, Origin: e.Origin,
	}
}
