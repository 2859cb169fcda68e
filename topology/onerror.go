package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// OnError gives the step a policy of its own and makes it a border: if the step, or a step after it, fails for a
// record, its effects are rolled back, and the policy is applied. The effects of steps before and beside it are kept.
// Without a border, the whole record is rolled back and the application's policy is applied.
//
//	alerts := topology.Process(overdue, "page", page).OnError(processor.Policy{Action: processor.DeadLetter, Retries: 3})
//
// The innermost border acts first. A retry runs the whole record again, from its topic; only the policy's final action
// is limited to the border. Timers of the step use its policy. A border reaches as far as the next topic: after a KeyBy
// the record is a new one. For results that the broker refuses later, the policy of their sink applies, see
// Topic.OnError.
func (s *Stream[K, V]) OnError(policy processor.Policy) *Stream[K, V] {
	why := ""
	if s.isSource() {
		why = "the policy for records that cannot be decoded is that of the topic: Topic.OnError"
	}
	s.b.border(s.made, policy, why)
	return s
}

// OnError gives the step that keeps the table a policy of its own, as Stream.OnError does.
func (t *Table[K, V]) OnError(policy processor.Policy) *Table[K, V] {
	why := ""
	if t.node.Reads != nil {
		why = "the policy for records that cannot be decoded is that of the topic: Topic.OnError"
	}
	t.b.border(t.made, policy, why)
	return t
}

func (b *Builder) border(made *settings, policy processor.Policy, why string) {
	if why == "" {
		if err := policy.Validate(processor.Process); err != nil {
			why = err.Error()
		}
	}
	if b.checkSetting(made, "OnError", why) {
		made.node.OnError = &policy
	}
}

// OnError sets the policy for records of this topic: those that cannot be decoded where it is read, and those that
// cannot be encoded, or that the broker refuses, where it is written. It takes precedence over the application's
// policies.
func (t Topic[K, V]) OnError(policy processor.Policy) Topic[K, V] {
	t.options = t.options.withPolicy(policy)
	return t
}

//go:noinline
func (o *topicOptions) withPolicy(policy processor.Policy) *topicOptions {
	changed := o.get()
	changed.policy = &policy
	return &changed
}

// follow gives a source or a sink the policy of its topic.
func (b *Builder) follow(n *plan.Node, topic string, options *topicOptions, stage processor.Stage) {
	if stage == processor.Decode && options.get().named {
		b.mistake(n.Where, "the topics of %q are chosen per record with NamedBy: they can only be written", topic)
	}
	policy := options.get().policy
	if policy == nil {
		return
	}
	if err := policy.Validate(stage); err != nil {
		b.mistake(n.Where, "OnError of topic %s: %v", topic, err)
	}
	if n.OnError != nil && *n.OnError != *policy {
		b.mistake(n.Where, "topic %s is read twice, with two policies", topic)
	}
	n.OnError = policy
}
