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

// outputs holds what one record or timer has emitted until it has succeeded.
type outputs struct {
	records []output
	arena   []byte             // keys and values, concatenated
	headers []processor.Header // of the record that is being sent
	origin  []byte             // the value of its origin header
	calls   []*Call            // to the outside, to be made when the work has succeeded
}

type output struct {
	topic      *plan.Topic
	name       string     // of the topic, if the record has chosen it
	partition  int32      // or plan.ByKey
	step       *plan.Node // the step that wrote it
	key, value span
	timestamp  int64
	headers    []processor.Header
	failure    *processor.Error // if not nil, this is a failure to be handled by its policy
	action     processor.Action // of that policy
}

// span is a part of the arena; a negative start means null.
type span struct{ start, end int }

func (o *outputs) reset() { o.records, o.arena, o.calls = o.records[:0], o.arena[:0], o.calls[:0] }

func (o *outputs) keep(b []byte) span {
	if b == nil {
		return span{-1, -1}
	}
	if o.arena == nil {
		o.arena = []byte{} // a slice of a nil arena would be nil, which means null
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

// Send keeps an emitted record until the current work has succeeded.
func (t *Task) Send(topic *plan.Topic, key, value []byte, timestamp int64, headers []processor.Header) {
	t.SendTo(topic, "", plan.ByKey, plan.Raw{Key: key, Value: value, Timestamp: timestamp, Headers: headers})
}

// SendTo is like Send for a record that chooses its destination.
func (t *Task) SendTo(topic *plan.Topic, name string, partition int32, r plan.Raw) {
	o := &t.outputs
	o.records = append(o.records, output{
		topic: topic, name: name, partition: partition, step: t.step,
		key: o.keep(r.Key), value: o.keep(r.Value), timestamp: r.Timestamp, headers: r.Headers,
	})
}

// Partitions returns the number of partitions of a topic that is written to.
func (t *Task) Partitions(topic *plan.Topic, name string) (int32, error) {
	if !topic.PerRecord {
		return max(t.cfg.Counts[topic.Name], 1), nil
	}
	if n, known := t.chosen[name]; known {
		return n, nil
	}
	if name == "" {
		return 0, errors.New("the function of NamedBy returned no name")
	}
	full := t.cfg.Names.Prefix + name
	if t.input(full) != nil {
		return 0, fmt.Errorf("topic %s is an input of this application: its records would circulate", full)
	}
	n, err := t.cfg.Partitions(topic, full)
	if err == nil {
		t.chosen[name] = n
	}
	return n, err
}

// SendFailed applies the produce policy to a result that could not be encoded: that of the sink, or of the border
// around it, or else of the application. The other results are unaffected, and the policy's action is delayed, as they
// are, until the current work has succeeded.
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
	t.outputs.addFailure(failure, action)
	return nil
}

// addFailure keeps a failure and its action until the current work has succeeded.
func (o *outputs) addFailure(failure *processor.Error, action processor.Action) {
	o.records = append(o.records, output{failure: failure, action: action})
}

// truncate removes the outputs since a savepoint.
func (o *outputs) truncate(s plan.Savepoint) {
	o.records, o.arena, o.calls = o.records[:s.Records], o.arena[:s.Arena], o.calls[:s.Calls]
}

// send passes the outputs to Config.Output. The first record that it refuses is handled by the produce policy; any
// other error ends the task.
func (o *outputs) send(t *Task) error {
	for i := range o.records {
		r := &o.records[i]
		if r.failure != nil {
			if err := t.applyAction(r.failure, r.action, t.current.raw); err != nil {
				return err
			}
			continue
		}
		out := Out{
			Topic: t.destination(r), Partition: t.partitionOf(r, o.bytes(r.key)),
			Key: o.bytes(r.key), Value: o.bytes(r.value), Timestamp: r.timestamp, Headers: r.headers,
			Step: r.step, Origin: t.current.at(),
		}
		if r.topic.Internal && t.current.raw != nil {
			out.Headers = o.withOrigin(r.headers, t.current.origin())
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
	if len(o.calls) > 0 {
		t.addCalls()
	}
	o.reset()
	return nil
}

// checkTime rejects a timestamp, set by a step, that Kafka cannot store.
func checkTime(ms int64) error {
	if ms < 0 || ms > state.LatestTime {
		return fmt.Errorf("%w: its timestamp, %d ms, is not within the years 1970 to 2262", ErrRefused, ms)
	}
	return nil
}

// destination returns the name in the log of the topic of a record.
func (t *Task) destination(r *output) string {
	if r.name != "" {
		return t.cfg.Names.Prefix + r.name
	}
	return t.topicName(r.topic)
}

// topicName returns the name of a topic in the log. It is called per record, so it caches the name.
func (t *Task) topicName(topic *plan.Topic) string {
	name, ok := t.names[topic]
	if !ok {
		name = t.cfg.Names.Topic(topic)
		t.names[topic] = name
	}
	return name
}

// withOrigin returns headers with the origin header appended. The result is valid until the next call.
func (o *outputs) withOrigin(headers []processor.Header, origin processor.Origin) []processor.Header {
	o.origin = plan.AppendOrigin(o.origin[:0], origin)
	o.headers = append(append(o.headers[:0], headers...), processor.Header{Key: plan.OriginHeader, Value: o.origin})
	return o.headers
}

// originOf returns the user's record that a record of a repartition topic was made from. If it has no source record, it
// returns the record's own position, at.
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

// maxStack bounds the stack trace in a dead letter, so that it does not make the record too large.
const maxStack = 16 << 10

// errorType returns the type of the error that a step returned, without wrappers, or the type of a panic value.
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

// partitionOf returns the partition of a record, as the Java clients compute it, unless the record has chosen one.
// Records without a key go to the partition with the number of their task, so that a replay puts them there again.
func (t *Task) partitionOf(r *output, key []byte) int32 {
	if r.partition != plan.ByKey {
		return r.partition
	}
	n := max(t.cfg.Counts[r.topic.Name], 1)
	if r.name != "" {
		n = t.chosen[r.name]
	}
	if key == nil {
		return t.cfg.Partition % n
	}
	return r.topic.Partition(key, n)
}

// deadLetter returns a source record with headers that describe the failure, named as in KIP-1034. If the record is no
// longer in the log (raw is nil), it returns only the headers.
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
	// Brokers refuse timestamps that are far ahead of their clocks, and this record may have failed because of its
	// timestamp.
	timestamp := max(min(raw.Timestamp, t.cfg.Now().UnixMilli()), 0)
	return Out{
		Topic: t.cfg.Policies.DeadLetters, Partition: t.cfg.Partition % n,
		Key: raw.Key, Value: raw.Value, Timestamp: timestamp, Headers: headers,
		Kind: Letter, Origin: e.Origin,
	}
}
