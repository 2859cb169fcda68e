package processor

import (
	"fmt"

	"github.com/rio-streams/rio/codec"
)

// Output is a further output of a custom step. Declare it once, attach it where the step is declared, open it with In
// when a task starts, and read it with topology.Output:
//
//	var alerts = processor.NewOutput("alertas", codec.String, codec.JSON[Alert]())
//
//	checked := topology.Process(payments, "fraude", check, alerts)
//	topology.Output(checked, alerts).To(Alerts)
type Output[K, V any] struct {
	name  string
	key   codec.Codec[K]
	value codec.Codec[V]
}

// NewOutput returns an output. The codecs are used where its records are written to a topic or a store that has none of
// its own.
func NewOutput[K, V any](name string, key codec.Codec[K], value codec.Codec[V]) *Output[K, V] {
	return &Output[K, V]{name, key, value}
}

// Name returns the name of the output, which appears in the plan.
func (o *Output[K, V]) Name() string { return o.name }

// KeyCodec returns the codec of the keys.
func (o *Output[K, V]) KeyCodec() codec.Codec[K] { return o.key }

// ValueCodec returns the codec of the values.
func (o *Output[K, V]) ValueCodec() codec.Codec[V] { return o.value }

// AnyOutput is an Output of any type.
type AnyOutput interface {
	Name() string
	isOutput()
}

func (*Output[K, V]) isOutput() {}

// Outputs opens outputs: it is the Context of a step, of any type.
type Outputs interface {
	Fail(err error)
	open(output string) (port port, err error)
}

// port is what a Port is made from.
type port struct {
	host Host
	next any
}

func (c *Context[K, V]) open(output string) (port, error) {
	next, attached := c.outputs[output]
	if !attached {
		return port{}, fmt.Errorf("%s: output %q is not attached; attach it where the step is declared: topology.Process(stream, name, start, %s)", c.step, output, output)
	}
	return port{c.host, next}, nil
}

// In opens the output in a step, when its task starts. A step to which it is not attached makes the task fail.
func (o *Output[K, V]) In(c Outputs) *Port[K, V] {
	opened := &Port[K, V]{current: new(Record[K, V]), next: func(*Record[K, V]) error { return nil }}
	port, err := c.open(o.name)
	if err != nil {
		c.Fail(err)
		return opened
	}
	opened.host = port.host
	switch next := port.next.(type) {
	case nil: // nobody reads it
	case func(*Record[K, V]) error:
		opened.next = next
	default:
		c.Fail(fmt.Errorf("output %q is attached with other types than it is opened with", o.name))
	}
	return opened
}

// Port is an Output of a running step. It belongs to the goroutine of its task.
type Port[K, V any] struct {
	host    Host
	current *Record[K, V] // reused for every emitted record
	next    func(*Record[K, V]) error
}

// Emit passes key and value to the steps that read the output: see Context.Emit.
func (p *Port[K, V]) Emit(key K, value V) error {
	headers, timestamp := p.host.Inherit()
	*p.current = Record[K, V]{Key: key, Value: value, Timestamp: timestamp, Headers: headers}
	return p.next(p.current)
}

// Forward passes r to the steps that read the output, unchanged: see Context.Forward.
func (p *Port[K, V]) Forward(r Record[K, V]) error {
	*p.current = r
	return p.next(p.current)
}
