package topology

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Calls bounds the calls of a MapAsync. The zero value works.
type Calls struct {
	// InFlight is how many calls may run at once in a task, that is, per partition. Default: 16.
	InFlight int

	// Timeout ends the context of an attempt. A call that ignores its context is given up. Default: 2 s.
	Timeout time.Duration

	// AnyOrder lets results leave as soon as they are there, in the order of each key. Default: in the order of the
	// records.
	AnyOrder bool
}

// MapAsync calls the outside, such as a web service, for each value; the results have the key, the timestamp and the
// headers of the record. Calls run at the same time, but those of one key one after the other. While InFlight calls
// run, or a record waits for a call of its key, the task takes no more records.
//
//	sent := topology.MapAsync(topology.From(b, alerts), "page", pager.Page, topology.Calls{InFlight: 8})
//	sent.OnError(processor.Policy{Action: processor.DeadLetter, Retries: 5}).To(notified)
//
// A commit waits for the calls in flight, so all attempts of a call, with the pauses between them, must take less than
// half of runner.Config.TransactionTimeout. Call it at least once: after a crash or a rebalance, calls since the last
// commit are repeated. processor.CallID(ctx) is the same for each repetition. When the task stops, ctx is cancelled
// after a second, and the records in flight are processed again where the task runs next. A record that steps in front
// turn into many, each with a call, makes a commit wait for all of them.
//
// A call that fails is retried as the policy of the step says, which is that of OnError or else the application's; then
// the policy decides what becomes of the record. Steps before the MapAsync are not rolled back. Tombstones pass
// in their turn without a call. The results of a replay may differ.
func MapAsync[K, V, W any](s *Stream[K, V], name string, call func(context.Context, V) (W, error), limits Calls) *Stream[K, W] {
	n := s.b.addAsync(name, limits, call != nil, s.output())
	var keys codec.Codec[K]
	out := after[W](s, &settings{node: n}, 0)
	var answers codec.Codec[W]
	s.b.deferStep(func() {
		keys = s.key.codecFor(s.b, n, ofKeys)
		n.Async.FormatKey = format(keys)
		answers = out.value.codecForText(s.b, n)
	})
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, W](l, n)
		add := l.Host.Calls(n)
		leave := func(r processor.Record[K, W], w W) func() error {
			r.Value = w
			return func() error {
				l.Enter(n)
				return next(&r)
			}
		}
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			l.Enter(n)
			c := plan.Call{HasKey: !r.NoKey}
			if c.HasKey {
				key, err := keys.Append(nil, r.Key)
				if err != nil {
					return fmt.Errorf("%s: encode key: %w", n.Label(), err)
				}
				c.Key = string(key)
			}
			result := processor.Record[K, W]{Key: r.Key, NoKey: r.NoKey, Tombstone: r.Tombstone, Timestamp: r.Timestamp, Headers: r.Headers}
			if r.Tombstone {
				c.Leave = leave(result, result.Value)
				add(c)
				return nil
			}
			value := r.Value
			c.Run = func(ctx context.Context) (func() error, error) {
				w, err := call(ctx, value)
				if err != nil {
					return nil, err
				}
				return leave(result, w), nil
			}
			c.Parse = func(text string) (func() error, error) {
				w, err := parseValue(answers, text)
				return leave(result, w), err
			}
			add(c)
			return nil
		})}
	}
	return out
}

// addAsync adds the node of a MapAsync. It reports mistakes that do not depend on types.
func (b *Builder) addAsync(name string, limits Calls, given bool, input plan.Input) *plan.Node {
	n := b.add("map-async", name, input)
	b.checkName(n.Where, "MapAsync", name)
	b.needs(n, given)
	if limits.InFlight < 0 || limits.Timeout < 0 {
		b.mistake(n.Where, "%s with %d calls in flight and a timeout of %v: they must not be negative", n.Label(), limits.InFlight, limits.Timeout)
	}
	if slices.ContainsFunc(b.nodes, func(other *plan.Node) bool { return other != n && other.Async != nil && other.Name == name }) {
		b.mistake(n.Where, "the name %q is already used by another MapAsync: the ids of the calls would be the same", name)
	}
	n.Async = &plan.Async{InFlight: limits.InFlight, Timeout: limits.Timeout, AnyOrder: limits.AnyOrder}
	if n.Async.InFlight == 0 {
		n.Async.InFlight = 16
	}
	if n.Async.Timeout == 0 {
		n.Async.Timeout = 2 * time.Second
	}
	return n
}

// codecForText returns the codec with which test scripts give values of this form.
func (f *form[T]) codecForText(b *Builder, n *plan.Node) codec.Codec[T] {
	if cs := f.codecs(b, n); len(cs) > 0 {
		return cs[0]
	}
	return defaultCodec[T](b)
}

// parseValue decodes a value that is given as text.
func parseValue[T any](c codec.Codec[T], text string) (v T, err error) {
	data, err := parse(c)(text)
	if err != nil {
		return v, err
	}
	return c.Decode(data)
}
