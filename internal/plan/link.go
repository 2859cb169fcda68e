package plan

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Stream is the input of a step that processes records. The record belongs to the caller and is valid during the call;
// the callee must not modify it.
type Stream[K, V any] func(*processor.Record[K, V]) error

// Table is the input of a step that processes the changes of a table.
type Table[K, V any] func(*Change[K, V]) error

// Change is an update of a table's row.
type Change[K, V any] struct {
	Key                     K
	Old, New                V
	Had, Has                bool  // whether the row existed before, and exists now
	OldTimestamp, Timestamp int64 // of the rows, in milliseconds; Timestamp of a deletion is when it was deleted

	// Late: the change of a versioned table is a row, or a deletion, that is older than the current row, which is Old
	// and stays. Steps that keep the latest rows drop it.
	Late bool
}

// Rows looks up a row of a table in the same task, with its timestamp in milliseconds.
type Rows[K, V any] func(key K) (value V, timestamp int64, found bool, err error)

// Queue holds the fetched records of one source partition and passes them, decoded, to the source's successors. It
// hides the types of key and value, so that the head need not be boxed.
type Queue interface {
	Add([]Raw)
	Len() int

	// Head returns the next record and its event time, and decodes it unless that has been done. It must not be called
	// on an empty queue. An error is a decode error of that record.
	Head() (*Raw, int64, error)

	// Deliver passes the decoded head to the successors.
	Deliver() error

	// Load writes the decoded head to the store of a source table without notifying the successors; it is used to
	// restore.
	Load() error

	// Pop removes the head.
	Pop()

	// Clear removes everything.
	Clear()
}

// Host is the task that a plan is linked into.
type Host interface {
	processor.Host

	// Now returns the wall-clock time, for guards of sources. Results must not depend on it otherwise.
	Now() time.Time

	// Clock returns the clock of an operator, by Node.Clock.
	Clock(name string) *state.Clock

	// As calls f. What steps emit meanwhile inherits the given headers and timestamp instead of those of the current
	// record.
	As(headers []processor.Header, timestamp int64, f func() error) error

	// Send emits an encoded record. key and value are copied; nil is null.
	Send(topic *Topic, key, value []byte, timestamp int64, headers []processor.Header)

	// SendTo is like Send for a record that chooses its destination: the topic name, or topic if name is empty, and a
	// partition, or ByKey.
	SendTo(topic *Topic, name string, partition int32, r Raw)

	// Partitions returns the number of partitions of the topic that SendTo would write to. An error means that a record
	// cannot be written there; a *HostError that it is not known.
	Partitions(topic *Topic, name string) (int32, error)

	// Partition returns the partition that the task reads.
	Partition() int32

	// Calls prepares the calls of step n to the outside. add makes one of the current record. What leaves it later is a unit
	// of work of its own.
	Calls(n *Node) (add func(Call))

	// SendFailed applies the produce policy to a record that sink n could not encode.
	SendFailed(n *Node, err error) error

	// EnterBorder takes a savepoint before a border processes a record; LeaveBorder ends it. If err is not nil,
	// LeaveBorder rolls back to the savepoint and applies the policy of n; it returns the remaining error, if any.
	EnterBorder() Savepoint
	LeaveBorder(n *Node, s Savepoint, err error) error

	// Drop counts the current record, which step n dropped.
	Drop(n *Node, reason DropReason)
}

// Savepoint is the state of a task when it entered a border.
type Savepoint struct {
	Stores         int // mark of the state set
	Records, Arena int // lengths of the outputs
	Timers         int // number of the timers that the work has created
	Counted        int // number of its entries for counters
	Calls          int // the number of calls that were added
	Number         int // index of the border among those that the current record has entered
}

// DropReason says why an operator dropped a record. As in Kafka Streams this is not an error.
type DropReason string

const (
	NoKey     DropReason = "no-key"    // a stateful operator got a record without a key
	Tombstone DropReason = "tombstone" // an operator that needs a value got a record without one
	Late      DropReason = "late"      // all windows of the record were closed, or it is older than the history of a table
	Duplicate DropReason = "duplicate" // an earlier record had the same id
	Unrouted  DropReason = "unrouted"  // no branch, and no partition, was chosen for the record

	// OutOfOrder: a step that keeps the latest rows of a table got one that is older than the current one.
	OutOfOrder DropReason = "out-of-order"
)

// ByKey is the partition that the key of a record determines.
const ByKey int32 = -1

// Linker builds and connects the steps of a sub-topology for one task, starting from the sinks.
type Linker struct {
	Host     Host
	children map[output][]edge
	built    map[*Node][]any
	times    map[*Node]*Time
	shared   map[*Node]any
	step     **Node
}

// output is one output of a node.
type output struct {
	node *Node
	port int
}

// edge is one input of a node.
type edge struct {
	node  *Node
	input int
}

// NewLinker returns a linker for one task of s. It stores the running step in *step, so that a panic can be attributed
// to it.
func NewLinker(s *Subtopology, host Host, step **Node) *Linker {
	l := &Linker{Host: host, children: map[output][]edge{}, built: map[*Node][]any{}, times: map[*Node]*Time{}, shared: map[*Node]any{}, step: step}
	for _, n := range s.Nodes {
		for i, in := range n.Inputs {
			from := output{in.From, in.Port}
			l.children[from] = append(l.children[from], edge{n, i})
		}
	}
	return l
}

// Enter records that n's user code runs next.
func (l *Linker) Enter(n *Node) { *l.step = n }

// Uses reports whether a step takes an output of n.
func (l *Linker) Uses(n *Node, port int) bool { return len(l.children[output{n, port}]) > 0 }

// Shared returns what the parts of step n share in this task. The first call makes it.
func (l *Linker) Shared(n *Node, create func() any) any {
	shared, ok := l.shared[n]
	if !ok {
		shared = create()
		l.shared[n] = shared
	}
	return shared
}

// input returns the i-th input of n, building n first if necessary.
func (l *Linker) input(e edge) any {
	inputs, ok := l.built[e.node]
	if !ok {
		inputs = e.node.Build(l)
		l.built[e.node] = inputs
	}
	return inputs[e.input]
}

// StreamOutput returns the stream that n's only output writes to: its successors, in the order of their declaration.
func StreamOutput[K, V any](l *Linker, n *Node) Stream[K, V] { return StreamPort[K, V](l, n, 0) }

// StreamPort returns the stream that one of n's outputs writes to.
func StreamPort[K, V any](l *Linker, n *Node, port int) Stream[K, V] {
	next := successors(l, output{n, port}, border[*processor.Record[K, V], Stream[K, V]])
	switch len(next) {
	case 0:
		return func(*processor.Record[K, V]) error { return nil }
	case 1:
		return next[0]
	}
	return func(r *processor.Record[K, V]) error {
		for _, f := range next {
			if err := f(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// TableOutput returns the table input that n's changes are passed to.
func TableOutput[K, V any](l *Linker, n *Node) Table[K, V] {
	next := successors(l, output{n, 0}, border[*Change[K, V], Table[K, V]])
	switch len(next) {
	case 0:
		return func(*Change[K, V]) error { return nil }
	case 1:
		return next[0]
	}
	return func(c *Change[K, V]) error {
		for _, f := range next {
			if err := f(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// successors returns the inputs of the nodes after an output. It wraps those of borders.
func successors[Link any](l *Linker, from output, border func(*Linker, *Node, Link) Link) []Link {
	var next []Link
	for _, e := range l.children[from] {
		input := l.input(e)
		link, ok := input.(Link)
		switch {
		case !ok:
			l.mismatch(e.node, input, from.node, *new(Link))
			continue
		case e.node.border():
			link = border(l, e.node, link)
		}
		next = append(next, link)
	}
	return next
}

// mismatch reports a node that does not take what another one gives. The DSL's types rule this out: it would be a bug in
// an operator of ours.
func (l *Linker) mismatch(to *Node, takes any, from *Node, gives any) {
	l.Host.Fail(fmt.Errorf("plan: %s takes %T, but %s gives %T", to.Label(), takes, from.Label(), gives))
}

// border reports whether the step is a border: see Linker.
func (n *Node) border() bool { return n.OnError != nil && n.Reads == nil && n.Kind != "sink" }

// border wraps the input of a step that has a policy. If the step, or one after it, fails, their effects are rolled
// back and the policy decides; for the step before it, the record then succeeded.
func border[Record any, Link ~func(Record) error](l *Linker, n *Node, input Link) Link {
	return func(r Record) error {
		savepoint := l.Host.EnterBorder()
		return l.Host.LeaveBorder(n, savepoint, try(input, r))
	}
}

// Within runs f on behalf of step n, which acts although no record has reached it: inside its border, if it is one.
func (l *Linker) Within(n *Node, f func() error) error {
	if !n.border() {
		return f()
	}
	savepoint := l.Host.EnterBorder()
	return l.Host.LeaveBorder(n, savepoint, try(func(struct{}) error { return f() }, struct{}{}))
}

func try[Record any, Link ~func(Record) error](input Link, r Record) (err error) {
	defer Recover(&err)
	return input(r)
}

// EncodeError: a result could not be encoded.
type EncodeError struct{ Err error }

// Error returns the message of the codec.
func (e *EncodeError) Error() string { return e.Err.Error() }

// Unwrap returns what the codec returned.
func (e *EncodeError) Unwrap() error { return e.Err }

// HostError is a failure of the host, such as a cluster that does not respond. It is not the record's fault, so no policy
// is applied.
type HostError struct{ Err error }

// Error returns the message of the host.
func (e *HostError) Error() string { return e.Err.Error() }

// Unwrap returns what the host returned.
func (e *HostError) Unwrap() error { return e.Err }

// StepError is an error that a step's user code returned.
type StepError struct {
	Node *Node
	Err  error
}

// Error returns the message of the step.
func (e *StepError) Error() string { return e.Err.Error() }

// Unwrap returns what the step returned.
func (e *StepError) Unwrap() error { return e.Err }

// At attributes err to n, unless a later step has attributed it to itself.
func At(n *Node, err error) error {
	var step *StepError
	if errors.As(err, &step) {
		return err
	}
	return &StepError{Node: n, Err: err}
}

// PanicError is a panic of user code.
type PanicError struct {
	Value any
	Stack []byte
}

// Recover is deferred where user code runs: it turns a panic into an error.
func Recover(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{v, debug.Stack()}
	}
}

// Error returns the panic value, followed by the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap returns the panic value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
