package topology

import (
	"reflect"
	"slices"
	"strings"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
)

// form says how the keys, or the values, of a stream or table are written where bytes are needed. A step that keeps
// the type carries it on. It is resolved in Build, because settings come after the steps that they describe.
type form[T any] struct {
	chosen  codec.Codec[T]                            // by a topic or by a setting; nil: derived or carried
	derived func(*Builder, *plan.Node) codec.Codec[T] // made of other codecs
	from    []*form[T]                                // where it is carried from: several for a merge, none where the type is new

	// windows are those of keys that Window made.
	windows codec.WindowShape

	// values is the *form of the values within, if T is a processor.Record that Records made.
	values any
}

// chosen returns the form that a topic has.
func chosen[T any](c codec.Codec[T]) *form[T] { return &form[T]{chosen: c} }

// carry returns the form of what a step makes of values, or keys, of form f. If the type is the same, so is the form,
// unless a setting of the step says otherwise.
func carry[T, From any](f *form[From]) *form[T] {
	if same, ok := any(f).(*form[T]); ok && same != nil {
		return &form[T]{from: []*form[T]{same}, values: same.values}
	}
	return new(form[T])
}

// codecs returns what was chosen, for a merge all that differ. There are none where the default holds. n is the step that
// asks.
func (f *form[T]) codecs(b *Builder, n *plan.Node) []codec.Codec[T] {
	switch {
	case f.chosen != nil:
		return []codec.Codec[T]{f.chosen}
	case f.derived != nil:
		return []codec.Codec[T]{f.derived(b, n)}
	}
	var all []codec.Codec[T]
	add := func(c codec.Codec[T]) {
		if !slices.ContainsFunc(all, func(other codec.Codec[T]) bool { return other.String() == c.String() }) {
			all = append(all, c)
		}
	}
	without := false
	for _, from := range f.from {
		cs := from.codecs(b, n)
		without = without || len(cs) == 0
		for _, c := range cs {
			add(c)
		}
	}
	if without && len(all) > 0 {
		add(defaultCodec[T](b)) // beside others the default counts as one
	}
	return all
}

// Which setting of a step chooses an encoding.
const (
	ofKeys   = "KeyEncoded"
	ofValues = "Encoded"
)

// need returns the codec for step n, which writes keys or values of this form, and notes a mistake if they could not
// be read back. setting is the method that would mend it.
func (f *form[T]) need(b *Builder, n *plan.Node, setting string) codec.Codec[T] {
	switch cs := f.codecs(b, n); len(cs) {
	case 0:
	case 1:
		return cs[0]
	default:
		names := make([]string, len(cs))
		for i, c := range cs {
			names[i] = c.String()
		}
		b.mistake(n.Where, "%s must write %v, but the streams that were merged encode it as %s: say how with .%s(codec)", n.Label(), reflect.TypeFor[T](), strings.Join(names, " and as "), setting)
		return cs[0]
	}
	if c, said := b.encodings[reflect.TypeFor[T]()]; said && setting == ofValues {
		return c.(codec.Codec[T])
	}
	c := codec.For[T]()
	if why := unreadable(reflect.TypeFor[T](), reflect.TypeFor[T]().String(), map[reflect.Type]bool{}); why != "" && !fixed(c) {
		b.mistake(n.Where, "%s must write %v, but %s: say how with .%s(codec)", n.Label(), reflect.TypeFor[T](), why, setting)
	}
	return c
}

// fixed reports whether a default codec is not JSON, so that it brings back all values of its type.
func fixed[T any](c codec.Codec[T]) bool {
	windows, _ := codec.WindowedKeysOf(c) // whose key may be JSON
	return !isJSON(c) && windows == nil
}

// name returns the name of the codec of keys, for comparisons.
func (f *form[T]) name(b *Builder, n *plan.Node) string {
	if cs := f.codecs(b, n); len(cs) > 0 {
		return cs[0].String()
	}
	return codec.For[T]().String()
}

// defaultCodec is what EncodeAs says for values of type T, or else the default of the type.
func defaultCodec[T any](b *Builder) codec.Codec[T] {
	if c, ok := b.encodings[reflect.TypeFor[T]()]; ok {
		return c.(codec.Codec[T])
	}
	return codec.For[T]()
}

// EncodeAs says how values of type V are written wherever the topology needs their bytes and no codec was carried there
// from a topic: behind a Map to V, say, or in a store of Vs. A step's own Encoded goes before it.
func EncodeAs[V any](b *Builder, c codec.Codec[V]) {
	t := reflect.TypeFor[V]()
	if c == nil {
		b.mistake(callSite(), "EncodeAs has no codec for %v", t)
		return
	}
	if _, twice := b.encodings[t]; twice {
		b.mistake(callSite(), "EncodeAs says twice how %v is written", t)
	}
	b.encodings[t] = c
}
