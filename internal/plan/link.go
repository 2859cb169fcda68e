package plan

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Stream is the input of a step that takes records. The record belongs to the caller and is valid during the call;
// the callee must not change it.
type Stream[K, V any] func(*processor.Record[K, V]) error

// Table is the input of a step that takes the changes of a table.
type Table[K, V any] func(*Change[K, V]) error

// Change is an update of a table's row.
type Change[K, V any] struct {
	Key       K
	Old, New  V
	Had, Has  bool  // whether the row existed before, and exists now
	Timestamp int64 // of the new row, in milliseconds
}

// Rows looks up the rows of a table, in the task that keeps them.
type Rows[K, V any] interface {
	Get(key K) (V, bool, error)
}

// Queue holds the fetched records of one source partition and gives them, decoded, to the source's successors. Its
// type hides the types of key and value, so the head stays unboxed.
type Queue interface {
	Add([]Raw)
	Len() int

	// Head returns the record that is next, with its event time, decoding it if that has not happened yet. It must not
	// be called on an empty queue. An error is a decode error of that record.
	Head() (*Raw, int64, error)

	// Deliver hands the decoded head to the successors.
	Deliver() error

	// Load puts the decoded head into the store of a source table and tells nobody: restoring.
	Load() error

	// Pop drops the head.
	Pop()

	// Clear drops everything.
	Clear()
}

// Host is the task that a plan is linked into.
type Host interface {
	processor.Host

	// Now is the wall clock's time, for guards of sources: no result may depend on it otherwise.
	Now() time.Time

	// Clock returns the time of an operator, by the name that Node.Clock has.
	Clock(name string) *state.Clock

	// Send hands out an encoded record. key and value are copied; nil is null.
	Send(topic *Topic, key, value []byte, timestamp int64, headers []processor.Header)

	// SendFailed applies the produce policy to a record that sink n could not encode.
	SendFailed(n *Node, err error) error

	// EnterBorder notes what stores and outputs are before a border takes a record; LeaveBorder says how it went. If err is
	// not nil, everything since is undone and the policy of n is applied: its answer is the error that is left, if any.
	EnterBorder() Savepoint
	LeaveBorder(n *Node, s Savepoint, err error) error

	// Drop counts the record in hand, which step n had to leave out.
	Drop(n *Node, reason DropReason)
}

// Savepoint is what a task was like when a border was entered.
type Savepoint struct {
	Stores         int // mark of the state set
	Records, Arena int // lengths of the outputs
	Number         int // of the border, among those that the record in hand has entered
}

// DropReason says why an operator left a record out. As in Kafka Streams this is not an error.
type DropReason string

const (
	NoKey     DropReason = "no-key"    // a stateful operator met a record without a key
	Tombstone DropReason = "tombstone" // an operator that needs a value met a record without one
	Late      DropReason = "late"      // all windows of the record had closed
)

// Linker builds the steps of a sub-topology for one task, from the sinks up, and connects them.
type Linker struct {
	Host     Host
	children map[output][]edge
	built    map[*Node][]any
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

// NewLinker returns a linker for one task of s. The step that is running is kept in *step, so that a panic can say
// where it happened.
func NewLinker(s *Subtopology, host Host, step **Node) *Linker {
	l := &Linker{Host: host, children: map[output][]edge{}, built: map[*Node][]any{}, step: step}
	for _, n := range s.Nodes {
		for i, in := range n.Inputs {
			from := output{in.From, in.Port}
			l.children[from] = append(l.children[from], edge{n, i})
		}
	}
	return l
}

// Enter notes that n's user code runs next.
func (l *Linker) Enter(n *Node) { *l.step = n }

// input returns the i-th input of n, building n first if need be.
func (l *Linker) input(e edge) any {
	inputs, ok := l.built[e.node]
	if !ok {
		inputs = e.node.Build(l)
		l.built[e.node] = inputs
	}
	return inputs[e.input]
}

// StreamOutput returns where the records of n's only output go: to its successors, in the order of their declaration.
func StreamOutput[K, V any](l *Linker, n *Node) Stream[K, V] { return StreamPort[K, V](l, n, 0) }

// StreamPort returns where the records of one of n's outputs go.
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

// TableOutput returns where n's changes go.
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

// successors returns the inputs of the nodes behind an output. Those of borders are wrapped.
func successors[Link any](l *Linker, from output, border func(*Linker, *Node, Link) Link) []Link {
	var next []Link
	for _, e := range l.children[from] {
		input := l.input(e)
		link, ok := input.(Link)
		if !ok { // the DSL's types rule this out; a mistake in an operator of ours would show here
			l.Host.Fail(fmt.Errorf("plan: %s takes %T, but %s gives %T", e.node.Label(), input, from.node.Label(), *new(Link)))
			continue
		}
		if e.node.OnError != nil && e.node.Reads == nil && e.node.Kind != "sink" {
			link = border(l, e.node, link)
		}
		next = append(next, link)
	}
	return next
}

// border wraps the input of a step that has a policy: if the step, or one behind it, fails, then what they did is undone and
// the policy decides, and for the step before it is as if all had gone well.
func border[Record any, Link ~func(Record) error](l *Linker, n *Node, input Link) Link {
	return func(r Record) error {
		savepoint := l.Host.EnterBorder()
		return l.Host.LeaveBorder(n, savepoint, try(input, r))
	}
}

func try[Record any, Link ~func(Record) error](input Link, r Record) (err error) {
	defer Recover(&err)
	return input(r)
}

// EncodeError says that a result could not be encoded.
type EncodeError struct{ Err error }

// Error returns the message of the codec.
func (e *EncodeError) Error() string { return e.Err.Error() }

// Unwrap returns what the codec returned.
func (e *EncodeError) Unwrap() error { return e.Err }

// StepError is an error that a step's user code returned.
type StepError struct {
	Node *Node
	Err  error
}

// Error returns the message of the step.
func (e *StepError) Error() string { return e.Err.Error() }

// Unwrap returns what the step returned.
func (e *StepError) Unwrap() error { return e.Err }

// At says that err came out of n, unless a later step has said that it was its own.
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

// Error returns what was panicked with, and the stack in the lines behind it.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap returns the error that was panicked with, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
