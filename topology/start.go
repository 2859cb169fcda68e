package topology

import (
	"time"

	"github.com/rio-streams/rio/internal/plan"
)

// Start says where an application starts to read a topic: see Topic.StartAt.
type Start struct{ at plan.Start }

// Earliest starts with the first record.
func Earliest() Start { return Start{plan.Start{Place: plan.StartEarliest}} }

// Latest starts with the next record to be written.
func Latest() Start { return Start{plan.Start{Place: plan.StartLatest}} }

// Since starts with the first record whose timestamp is not before t.
func Since(t time.Time) Start { return Start{plan.Start{Place: plan.StartSince, Since: t}} }

// Ago is like Since for the time d before the application starts.
func Ago(d time.Duration) Start { return Start{plan.Start{Place: plan.StartAgo, Ago: d}} }

// StartAt says where the application starts to read the topic if it has no committed offset; otherwise it resumes
// there. It is for topics that are read as streams; tables are always read from the beginning. A partition that is
// added later is read from its first record. Default: runner.Config.Latest decides.
func (t Topic[K, V]) StartAt(s Start) Topic[K, V] {
	t.options = t.options.withStart(s.at)
	return t
}

//go:noinline
func (o *topicOptions) withStart(at plan.Start) *topicOptions {
	changed := o.get()
	changed.start = at
	return &changed
}

// checkStart reports a mistake if a topic's Start is invalid.
func (b *Builder) checkStart(n *plan.Node, topic string, start plan.Start) {
	switch {
	case (n.Kind == "table" || n.Kind == globalTable) && start.Place != plan.StartDefault && start.Place != plan.StartEarliest:
		b.mistake(n.Where, "topic %q is read as a table, which is always read from the beginning: leave StartAt out", topic)
	case start.Place == plan.StartSince && start.Since.UnixMilli() < 0:
		b.mistake(n.Where, "topic %q starts at %s: not a time since 1970", topic, start.Since.Format(time.RFC3339))
	case start.Place == plan.StartAgo && start.Ago <= 0:
		b.mistake(n.Where, "topic %q starts %v ago: the time must lie in the past", topic, start.Ago)
	}
}
