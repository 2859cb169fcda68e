package processor

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/state"
)

// Handler handles one record. An error stops the application, or is handled by the processing policy; either way the
// record changes no store and emits nothing.
type Handler[K, V any] func(Record[K, V]) error

// Context gives a step its stores (through their definitions' In method), its output, its timers and the two clocks. K
// and V are the types that it emits. It belongs to the goroutine of its task.
type Context[K, V any] struct {
	host    Host
	step    string
	current *Record[K, V] // reused for every emitted record
	next    func(*Record[K, V]) error
	outputs map[string]any // by name: func(*Record[K, V]) error, with the types of the output
}

// Host is the task that runs a step; internal/task implements it. User code does not need it.
type Host interface {
	state.Stores

	// Context ends when the task stops.
	Context() context.Context

	// StreamTime returns the greatest event time that the task has seen, in milliseconds.
	StreamTime() int64

	// Now returns the wall-clock time.
	Now() time.Time

	// Shared returns the database of the global tables; nil if there is none.
	Shared() *state.Shared

	// Origin returns where the current record came from.
	Origin() Origin

	// Inherit returns the headers and the timestamp that emitted records inherit from the current record or timer.
	Inherit() (headers []Header, timestamp int64)

	// Schedule registers a timer of the named step.
	Schedule(step string, timing Timing, fire func(now time.Time) error) *Timer

	// RequestCommit asks for a commit after the current work.
	RequestCommit()

	// Counter returns the counter of the named step with a name of its own.
	Counter(step, name string) *Counter

	// OnClose registers a function to call when the task ends.
	OnClose(step string, do func() error)
}

// NewContext returns the context of a step that runs in host and passes its records to next. The DSL calls it when a
// task is built. outputs holds, for each attached Output, the function that its records are passed to.
func NewContext[K, V any](host Host, step string, next func(*Record[K, V]) error, outputs map[string]any) *Context[K, V] {
	return &Context[K, V]{host: host, step: step, current: new(Record[K, V]), next: next, outputs: outputs}
}

// Emit passes key and value to the next steps, with the timestamp and headers of the current record; from a timer, with
// the timer's time and no headers.
func (c *Context[K, V]) Emit(key K, value V) error {
	headers, timestamp := c.host.Inherit()
	*c.current = Record[K, V]{Key: key, Value: value, Timestamp: timestamp, Headers: headers}
	return c.next(c.current)
}

// Forward passes r to the next steps unchanged. Use it to set the timestamp or the headers, or to emit a tombstone.
func (c *Context[K, V]) Forward(r Record[K, V]) error {
	*c.current = r
	return c.next(c.current)
}

// Context is canceled when the task stops: shortly after a stop request, or at once if the task is lost or a call takes
// too long (runner.Config.MaxProcessing). Pass it to external calls. A step that fails because of it is not the
// record's fault: it is rolled back, no policy is applied, and the record is processed again where the task runs next.
func (c *Context[K, V]) Context() context.Context { return c.host.Context() }

// StreamTime returns the greatest event time that the task has seen, including the current record, in UTC. Timers use
// it. Windows use their own: the greatest time of the records that have reached them.
func (c *Context[K, V]) StreamTime() time.Time { return time.UnixMilli(c.host.StreamTime()).UTC() }

// Now returns the time of the machine's clock, or the simulated one of a test. Results that depend on it are not
// reproducible by a replay; where that matters, use StreamTime or the record's time.
func (c *Context[K, V]) Now() time.Time { return c.host.Now() }

// RequestCommit asks the runner to commit after the current record or timer, without waiting for Config.CommitInterval.
// It does not wait for the commit. Each commit has a cost, so do not request one for every record.
func (c *Context[K, V]) RequestCommit() { c.host.RequestCommit() }

// Counter returns a counter, which the metric rio_step_events_total shows with the names of the step and the counter. It
// counts committed work only, as the metrics of the records do. Call it when the task starts.
func (c *Context[K, V]) Counter(name string) *Counter { return c.host.Counter(c.step, name) }

// OnClose registers do to be called when the task ends: it is lost or moved, fails, or the application stops. The task has
// committed, or rolled back, its last work, and its stores are no longer usable. Functions are called in the reverse
// order of their registration; their errors are logged.
func (c *Context[K, V]) OnClose(do func() error) { c.host.OnClose(c.step, do) }

// Origin returns the topic, partition and offset that the current record came from.
func (c *Context[K, V]) Origin() Origin { return c.host.Origin() }

// Store returns an attached store by name. The In method of a definition is the typed way.
func (c *Context[K, V]) Store(name string) (state.Store, error) {
	store, err := c.host.Store(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; attach the definition, or the table, where the step is declared: topology.Process(stream, name, start, %s)", c.step, err, name)
	}
	return store, nil
}

// Shared returns the database of the global tables, nil if there is none. The In method of a global table is the typed
// way to read it.
func (c *Context[K, V]) Shared() *state.Shared { return c.host.Shared() }

// Fail makes the start of the task fail with err. It is for constructors, which cannot return an error.
func (c *Context[K, V]) Fail(err error) { c.host.Fail(err) }
