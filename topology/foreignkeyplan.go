package topology

import (
	"errors"
	"slices"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
)

// foreignKeyNodes are the steps of a foreign-key join.
type foreignKeyNodes struct {
	subscribe, respond, resolve *plan.Node
	refused                     bool // the name was
}

// addForeignKeyJoin adds the steps of a join, with the topics between them.
func (b *Builder) addForeignKeyJoin(kind, name string, left, right plan.Input, hasKey, given bool) *foreignKeyNodes {
	n := &foreignKeyNodes{subscribe: b.add("subscribe", name, left)}
	n.refused = !b.checkName(n.subscribe.Where, "join", name)
	if before, taken := b.topics[plan.SubscriptionTopic(name)]; taken && before.Internal {
		n.refused = true
		b.mistake(n.subscribe.Where, "the name %q is already used by another foreign-key join: choose another", name)
	}
	if !hasKey {
		b.mistake(n.subscribe.Where, "%s %s has no function for the foreign key: it would fail at the first record", kind, name)
	}
	subscriptions := b.addForeignKeyTopic(n.subscribe, plan.SubscriptionTopic(name))
	longest := b.names().Topic(n.subscribe.Writes) // of the three topics
	b.checkLength(n.subscribe.Where, longest)
	n.refused = n.refused || len(longest) > 249
	n.respond = b.add("respond", name, plan.Input{From: subscriptions}, right)
	responses := b.addForeignKeyTopic(n.respond, plan.ResponseTopic(name))
	n.resolve = b.add(kind, name, plan.Input{From: responses}, plan.Input{From: left.From, Port: left.Port, Lookup: true})
	b.needs(n.resolve, given)
	b.copartition[n.resolve] = true
	return n
}

// addForeignKeyTopic lets step n write an internal topic, and adds the source that reads it.
func (b *Builder) addForeignKeyTopic(n *plan.Node, name string) *plan.Node {
	n.Writes = b.addTopic(n, &plan.Topic{Name: name, Internal: true})
	topic := &Topic[[]byte, []byte]{name: name, key: wire{}, value: wire{}, options: &topicOptions{internal: true}}
	source := b.add("source", "")
	source.Reads = n.Writes
	source.Queue = func(l *plan.Linker) plan.Queue {
		q := newQueue(topic, func() { l.Enter(source) }, l.Host.Now)
		q.deliver = plan.StreamOutput[[]byte, []byte](l, source)
		return q
	}
	return source
}

// describeForeign describes the topic that step n of a foreign-key join writes.
func describeForeign[K any](b *Builder, n *plan.Node, keys codec.Codec[K], value string, text func([]byte) string) {
	t := n.Writes
	t.Key, t.Value = keys.String(), value
	t.Text = plan.Text{FormatKey: format(keys), FormatValue: text, ParseKey: parse(keys), ParseValue: notTyped}
	if windows, err := codec.WindowedKeysOf(keys); err != nil {
		b.mistake(n.Where, "%v", err)
	} else if windows != nil {
		t.PlainKey = windows.PlainKey
	}
}

// notTyped refuses to make a record of a foreign-key join from text.
func notTyped(string) ([]byte, error) {
	return nil, errors.New("the records of a foreign-key join cannot be typed")
}

// dropReason says why a record of a foreign-key join is dropped that has no key or no value. None is written so.
func dropReason(r *encodedRecord) plan.DropReason {
	if r.NoKey {
		return plan.NoKey
	}
	return plan.Tombstone
}

// checkRowsOf reports the steps that need the rows of a foreign-key join which keeps none.
func (b *Builder) checkRowsOf(join *plan.Node) {
	reported := map[string]bool{} // lines: a step of the user may be several of ours
	for _, n := range b.nodes {
		takes := slices.ContainsFunc(n.Inputs, func(in plan.Input) bool { return in.From == join })
		if takes && n.Kind != "to-stream" && !reported[n.Where] {
			reported[n.Where] = true
			b.mistake(n.Where, "%s needs the rows of the %s at %s, which does not keep them: name a store with Stored", n.Label(), join.Label(), join.Where)
		}
	}
}
