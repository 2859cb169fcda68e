package topology

import "github.com/rio-streams/rio/internal/plan"

// Part is one stream of a Cogroup, made by Adding: its keys are of type K, and it is added to rows of type A.
type Part[K, A any] struct {
	input cogroupInput
	key   *form[K]
	link  func(l *plan.Linker, t *Table[K, A]) any
}

// cogroupInput is what a part says about its stream.
type cogroupInput struct {
	b       *Builder
	from    plan.Input
	key     encoded
	windows Windows
	closer  *plan.Node // the Window that closes them, if one does
	rekeyed bool
	given   bool // the function is not nil
}

// Adding makes a stream a part of a Cogroup. add returns the new value of a row, given the old one and the value of a
// record; it must not modify the old one in place.
func Adding[K, V, A any](s *Stream[K, V], add func(A, V) A) Part[K, A] {
	return Part[K, A]{
		input: cogroupInput{b: s.b, from: s.output(), key: s.key, windows: s.windows, closer: s.window.closer(), rekeyed: s.rekeyed, given: add != nil},
		key:   s.key,
		link: func(l *plan.Linker, t *Table[K, A]) any {
			return adding(l, t, s.window, func(old A, _ bool, value V) A { return add(old, value) })
		},
	}
}

// Cogroup aggregates several streams into one table, with one value per key, in the store name. Each record is added by
// the function of its part:
//
//	profiles := topology.Cogroup("profiles",
//		topology.Adding(carts, Profile.AddCart),
//		topology.Adding(sales, Profile.AddSale))
//
// All parts need the same number of partitions, the same codec of keys and, if they are windowed, the same windows.
// Sessions and sliding windows close by the greatest timestamp of the records of all parts, other windows for each part by
// its own. A window that is older than the retention of the store is closed for all. Settings are those of Aggregate.
func Cogroup[K, A any](name string, first Part[K, A], others ...Part[K, A]) *Table[K, A] {
	b, windows := first.input.b, first.input.windows
	parts := append([]Part[K, A]{first}, others...)
	inputs := make([]cogroupInput, len(parts))
	for i, p := range parts {
		inputs[i] = p.input
	}
	n := b.addCogroup(name, inputs)
	rules := &aggregation[A]{kind: n.Kind}
	t := &Table[K, A]{b: b, node: n, made: &settings{node: n}, key: carry[K](first.key), value: new(form[A]), name: name, windows: windows, rules: rules}
	t.closing = windows.closing(n, onlyCloser(inputs), name)
	t.keep(name)
	if windows.kind == sessionWindows {
		b.deferStep(func() { b.needsMerge(n, rules.merge != nil) })
	}
	n.Build = func(l *plan.Linker) []any {
		links := make([]any, len(parts))
		for i, p := range parts {
			links[i] = p.link(l, t)
		}
		return links
	}
	return t
}

// onlyCloser returns the Window that closes the windows of all inputs, nil if there are several.
func onlyCloser(inputs []cogroupInput) *plan.Node {
	for _, in := range inputs {
		if in.closer != inputs[0].closer {
			return nil
		}
	}
	return inputs[0].closer
}

// addCogroup adds the node of a cogroup. It reports mistakes that do not depend on types.
func (b *Builder) addCogroup(name string, inputs []cogroupInput) *plan.Node {
	n := b.add("cogroup", name)
	b.timed[n] = inputs[0].windows.byOthers()
	for i, in := range inputs {
		b.needs(n, in.given)
		switch {
		case in.b != b:
			b.mistake(n.Where, "the parts of %s come from two builders: read all streams with one", n.Label())
			continue
		case in.windows != inputs[0].windows:
			b.mistake(n.Where, "the parts of %s have different windows, %v and %v", n.Label(), inputs[0].windows, in.windows)
		case in.rekeyed:
			b.needsKeyBy(n)
		}
		n.Inputs = append(n.Inputs, in.from)
		b.deferStep(func() {
			if first, other := inputs[0].key.name(b, n), inputs[i].key.name(b, n); other != first {
				b.mistake(n.Where, "the parts of %s encode their keys differently, as %s and %s", n.Label(), first, other)
			}
		})
	}
	return n
}
