package topology

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Process runs a custom step. start is called once per task; it opens what the step uses, schedules timers and returns
// the handler of records. The step may use what is attached to it: a definition of package state, opened with its In
// method; a Table, whose rows it reads with Table.In; and a processor.Output, opened with its In method and read with
// Output. Steps that attach the same definition share the store.
//
// The step must emit keys of its own partition: those of the records it handles, or those it keeps in its stores. Use
// ProcessKV for a step that emits other keys.
func Process[K, V, W any](s *Stream[K, V], name string, start func(*processor.Context[K, W]) processor.Handler[K, V], uses ...Attachment) *Stream[K, W] {
	out := after[W](s, &settings{node: process(s, name, start, uses)}, 0)
	out.window = out.window.unclosed() // a timer may emit records of closed windows
	return out
}

// ProcessKV is like Process for a step that changes the key. As after MapKV, the stream must pass through KeyBy before state
// can be kept by the new key.
func ProcessKV[K, V, L, W any](s *Stream[K, V], name string, start func(*processor.Context[L, W]) processor.Handler[K, V], uses ...Attachment) *Stream[L, W] {
	return rekey[L, W](s, &settings{node: process(s, name, start, uses)})
}

// Output returns the stream of records that a custom step emits to an output which is attached to it. at is the result of
// Process or ProcessKV. The keys of the stream determine their partitions as those of at do. Nobody has to read an output.
func Output[K, V, L, W any](at *Stream[L, W], output *processor.Output[K, V]) *Stream[K, V] {
	n, b := at.node, at.b
	s := &Stream[K, V]{
		b: b, node: n, made: &settings{node: n}, rekeyed: at.rekeyed,
		key: chosen(output.KeyCodec()), value: chosen(output.ValueCodec()),
	}
	s.port = slices.Index(n.Ports, output.Name())
	if s.port < 1 {
		s.port = 0
		b.mistake(callSite(), "output %q is not attached to %s: pass it to Process", output.Name(), n.Label())
		return s
	}
	n.Outputs[s.port] = func(l *plan.Linker) any {
		return (func(*processor.Record[K, V]) error)(plan.StreamPort[K, V](l, n, s.port))
	}
	return s
}

// Attachment is what a custom step may use: a state.Definition, a *Table or a *processor.Output.
type Attachment interface{ Name() string }

// attachable is a table of any type.
type attachable interface {
	attachTo(b *Builder, n *plan.Node)
}

func process[K, V, L, W any](s *Stream[K, V], name string, start func(*processor.Context[L, W]) processor.Handler[K, V], uses []Attachment) *plan.Node {
	n := s.b.add("process", name, s.output())
	s.b.needs(n, start != nil)
	s.b.checkName(n.Where, "Process step", name)
	for _, use := range uses {
		switch use := use.(type) {
		case state.Definition:
			s.b.deferStep(func() { s.b.attach(n, use, "") })
		case attachable:
			use.attachTo(s.b, n)
		case processor.AnyOutput:
			s.b.attachOutput(n, use.Name())
		default:
			s.b.mistake(n.Where, "%s cannot use a %T: attach a definition of package state, a table or an output", n.Label(), use)
		}
	}
	if slices.ContainsFunc(uses, func(use Attachment) bool { _, output := use.(processor.AnyOutput); return !output }) {
		s.needsKey(n)
	}
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[L, W](l, n)
		l.Enter(n)
		handle := start(processor.NewContext(l.Host, n.Label(), next, outputsOf(l, n)))
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			l.Enter(n)
			if err := handle(*r); err != nil {
				return plan.At(n, err)
			}
			return nil
		})}
	}
	return n
}

// attachOutput adds an output to a custom step, whose own output is the first.
func (b *Builder) attachOutput(n *plan.Node, name string) {
	b.checkPort(n.Where, "output", name)
	if n.Ports == nil {
		n.Ports, n.Outputs = []string{n.Name}, []func(*plan.Linker) any{nil}
	}
	if slices.Contains(n.Ports[1:], name) {
		b.mistake(n.Where, "output %q is attached twice", name)
	}
	n.Ports, n.Outputs = append(n.Ports, name), append(n.Outputs, nil)
}

// outputsOf returns what the attached outputs of a custom step pass their records to, by name; nil if nobody reads one.
func outputsOf(l *plan.Linker, n *plan.Node) map[string]any {
	outputs := map[string]any{}
	for port, output := range n.Outputs {
		switch {
		case port == 0:
		case output == nil:
			outputs[n.Ports[port]] = nil
		default:
			outputs[n.Ports[port]] = output(l)
		}
	}
	return outputs
}
