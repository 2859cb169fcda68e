package topology

import (
	"time"

	"github.com/rio-streams/rio/internal/plan"
)

// Start says where an application begins to read a topic: see Topic.StartAt.
type Start struct{ at plan.Start }

// Earliest begins with the first record that there is.
func Earliest() Start { return Start{plan.Start{Place: plan.StartEarliest}} }

// Latest begins with the records to come.
func Latest() Start { return Start{plan.Start{Place: plan.StartLatest}} }

// Since begins with the first record whose timestamp is not before t.
func Since(t time.Time) Start { return Start{plan.Start{Place: plan.StartSince, Since: t}} }

// Ago is Since for a time that lies d before the application begins.
func Ago(d time.Duration) Start { return Start{plan.Start{Place: plan.StartAgo, Ago: d}} }

// StartAt says where the application begins to read the topic, as long as it has not committed anything there; a later
// start goes on where the application was. It is for topics that are read as streams. Tables are read whole. A partition
// that is added later is read from its first record. Default: runner.Config.Latest decides.
func (t Topic[K, V]) StartAt(s Start) Topic[K, V] {
	t.start = s.at
	return t
}

// checkStart notes a mistake if a topic's Start makes no sense where it is read.
func (b *Builder) checkStart(n *plan.Node, topic string, start plan.Start) {
	switch {
	case n.Kind == "table" && start.Place != plan.StartDefault && start.Place != plan.StartEarliest:
		b.mistake(n.Where, "topic %q is read as a table, so all of it is: leave StartAt out", topic)
	case start.Place == plan.StartSince && start.Since.UnixMilli() < 0:
		b.mistake(n.Where, "topic %q starts at %s: not a time since 1970", topic, start.Since.Format(time.RFC3339))
	case start.Place == plan.StartAgo && start.Ago <= 0:
		b.mistake(n.Where, "topic %q starts %v ago: it must lie in the past", topic, start.Ago)
	}
}
