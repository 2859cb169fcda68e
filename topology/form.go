package topology

import (
	"reflect"
	"slices"
	"strings"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
)

// form says how the keys, or the values, of a stream or table are encoded where bytes are needed. A step that keeps the
// type passes it on. It is resolved in Build, because settings follow the steps that they configure.
type form[T any] struct {
	chosen  codec.Codec[T]                            // by a topic or by a setting; nil if derived or passed on
	derived func(*Builder, *plan.Node) codec.Codec[T] // made from other codecs
	from    []*form[T]                                // the forms it is passed on from: several for a merge, none if the type is new

	// windows are those of keys that Window made.
	windows codec.WindowShape

	// values is the *form of the values within, if T is a processor.Record made by Records.
	values any

	// content returns what encodes only those values; nil for other types.
	content func(*Builder, *plan.Node) func(dst []byte, v T) ([]byte, error)
}

// chosen returns the form of a topic's keys or values.
func chosen[T any](c codec.Codec[T]) *form[T] { return &form[T]{chosen: c} }

// carry returns the form of a step's results, given the form f of its input. If the type is the same, so is the form,
// unless a setting of the step says otherwise.
func carry[T, From any](f *form[From]) *form[T] {
	if same, ok := any(f).(*form[T]); ok && same != nil {
		return &form[T]{from: []*form[T]{same}, values: same.values, content: same.content}
	}
	return new(form[T])
}

// codecs returns the chosen codec, or all different ones for a merge. It returns none if the default applies. n is the
// step that needs it.
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
		add(defaultCodec[T](b)) // next to others, the default counts as one
	}
	return all
}

// The settings of a step that choose a codec.
const (
	ofKeys   = "KeyEncoded"
	ofValues = "Encoded"
	ofIDs    = "EncodeAs" // not a setting of the step, but a function
)

// codecFor returns the codec with which step n writes keys or values of this form, and reports a mistake if they could
// not be decoded again. setting is the method that would fix it.
func (f *form[T]) codecFor(b *Builder, n *plan.Node, setting string) codec.Codec[T] {
	switch cs := f.codecs(b, n); len(cs) {
	case 0:
	case 1:
		return cs[0]
	default:
		names := make([]string, len(cs))
		for i, c := range cs {
			names[i] = c.String()
		}
		b.mistake(n.Where, "%s must write %v, but the merged streams encode it as %s: choose with .%s(codec)", n.Label(), reflect.TypeFor[T](), strings.Join(names, " and as "), setting)
		return cs[0]
	}
	if c, ok := b.encodings[reflect.TypeFor[T]()]; ok && setting != ofKeys {
		return c.(codec.Codec[T])
	}
	c := codec.For[T]()
	if why := unreadable(reflect.TypeFor[T](), reflect.TypeFor[T]().String(), map[reflect.Type]bool{}); why != "" && !fixed(c) {
		how := "." + setting + "(codec)"
		if setting == ofIDs {
			how = "topology.EncodeAs(b, codec)"
		}
		b.mistake(n.Where, "%s must write %v, but %s: choose a codec with %s", n.Label(), reflect.TypeFor[T](), why, how)
	}
	return c
}

// contentFor returns what encodes the content of a row: its value, without the key and the timestamp that Rows adds.
func (f *form[T]) contentFor(b *Builder, n *plan.Node) func(dst []byte, v T) ([]byte, error) {
	if f.content != nil {
		return f.content(b, n)
	}
	return f.codecFor(b, n, ofValues).Append
}

// fixed reports whether a default codec is not JSON, so that it can decode all values of its type.
func fixed[T any](c codec.Codec[T]) bool {
	windows, _ := codec.WindowedKeysOf(c) // its key may be JSON
	return !isJSON(c) && windows == nil
}

// name returns the name of the codec of keys, for comparisons.
func (f *form[T]) name(b *Builder, n *plan.Node) string {
	if cs := f.codecs(b, n); len(cs) > 0 {
		return cs[0].String()
	}
	return codec.For[T]().String()
}

// defaultCodec returns the codec set with EncodeAs for type T, or else the default of the type.
func defaultCodec[T any](b *Builder) codec.Codec[T] {
	if c, ok := b.encodings[reflect.TypeFor[T]()]; ok {
		return c.(codec.Codec[T])
	}
	return codec.For[T]()
}

// EncodeAs sets the codec of type V wherever the topology needs to encode it and no codec was passed on from a topic,
// for example after a Map to V, or in a store of Vs. A step's own Encoded takes precedence.
func EncodeAs[V any](b *Builder, c codec.Codec[V]) {
	t := reflect.TypeFor[V]()
	if c == nil {
		b.mistake(callSite(), "EncodeAs has no codec for %v", t)
		return
	}
	if _, twice := b.encodings[t]; twice {
		b.mistake(callSite(), "EncodeAs is called twice for %v", t)
	}
	b.encodings[t] = c
}
