package topology

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rio-streams/rio/internal/plan"
)

// Topology is a checked topology, ready to run (package runner) or to be tested (package topologytest). It is immutable
// and may be shared.
type Topology struct{ plan *plan.Plan }

// Name returns the name of the application.
func (t *Topology) Name() string { return t.plan.Application }

// Plan returns the compiled plan, for runner and topologytest.
func (t *Topology) Plan() *plan.Plan { return t.plan }

// String prints the plan: each sub-topology as a tree from its sources to its sinks, then the stores and their
// changelogs. Keep it in a golden file: a change in it is a migration that can be reviewed.
func (t *Topology) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "application %s\n", t.plan.Application)
	for i, g := range t.plan.Globals {
		if i == 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "%s ~\n", t.describe(g.Source)) // a replay may give other results
	}
	for _, s := range t.plan.Subtopologies {
		fmt.Fprintf(&out, "\nsub-topology %d\n", s.ID)
		printed := map[*plan.Node]bool{}
		for _, n := range s.Nodes {
			if len(n.Inputs) == 0 {
				t.printTree(&out, s, n, 1, printed)
			}
		}
		for _, store := range s.Stores {
			lives := ""
			if store.TTL > 0 {
				lives = fmt.Sprintf(", TTL %v", store.TTL)
			}
			fmt.Fprintf(&out, "  store %s: %s%s, changelog %s%s\n", store.Name(), store, lives, t.changelog(store), config(store.Config))
		}
	}
	return out.String()
}

func (t *Topology) printTree(out *strings.Builder, s *plan.Subtopology, n *plan.Node, depth int, printed map[*plan.Node]bool) {
	again := ""
	if printed[n] {
		again = " (above)"
	}
	fmt.Fprintf(out, "%s%s%s\n", strings.Repeat("  ", depth), t.describe(n), again)
	if printed[n] {
		return
	}
	printed[n] = true
	if len(n.Ports) == 0 {
		t.printOutput(out, s, plan.Input{From: n}, depth+1, printed)
		return
	}
	for port, name := range n.Ports {
		fmt.Fprintf(out, "%s%s:\n", strings.Repeat("  ", depth+1), name)
		t.printOutput(out, s, plan.Input{From: n, Port: port}, depth+2, printed)
	}
}

// printOutput prints the steps that read one output of a step.
func (t *Topology) printOutput(out *strings.Builder, s *plan.Subtopology, from plan.Input, depth int, printed map[*plan.Node]bool) {
	for _, next := range s.Nodes {
		for _, in := range next.Inputs {
			if in.From == from.From && in.Port == from.Port {
				t.printTree(out, s, next, depth, printed)
			}
		}
	}
}

// describe describes a step and its policy, if it has one.
func (t *Topology) describe(n *plan.Node) string {
	if n.OnError != nil {
		return fmt.Sprintf("%s, on error %s", t.describeStep(n), n.OnError)
	}
	return t.describeStep(n)
}

func (t *Topology) describeStep(n *plan.Node) string {
	switch {
	case n.Reads != nil:
		line := fmt.Sprintf("%s %s: %s → %s", n.Kind, t.topicName(n.Reads), n.Reads.Key, n.Reads.Value)
		if n.Guard != "" {
			line += ", " + n.Guard
		}
		return line
	case n.Kind == "sink":
		line := fmt.Sprintf("sink %s: %s → %s", t.topicName(n.Writes), n.Writes.Key, n.Writes.Value)
		if n.Chosen != "" {
			line += ", " + n.Chosen + " by record"
		}
		return line
	case n.Writes != nil:
		line := fmt.Sprintf("%s: %s → %s to %s%s", n.Label(), n.Writes.Key, n.Writes.Value, t.topicName(n.Writes), config(n.Writes.Config))
		if n.Writes.Partitions != 0 {
			line += fmt.Sprintf(", %d partitions", n.Writes.Partitions)
		}
		if n.Chosen != "" {
			line += ", " + n.Chosen + " by record"
		}
		return line
	case n.Async != nil:
		return n.Label() + " ~" // a replay may give other results
	case len(n.Stores) > 0:
		names := make([]string, len(n.Stores))
		for i, store := range n.Stores {
			names[i] = store.Name()
		}
		if len(names) == 1 && names[0] == n.Name {
			return n.Label()
		}
		return fmt.Sprintf("%s [%s]", n.Label(), strings.Join(names, ", "))
	}
	return n.Label()
}

// config formats the settings of an internal topic.
func config(settings map[string]string) string {
	if len(settings) == 0 {
		return ""
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		parts = append(parts, key+"="+settings[key])
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func (t *Topology) topicName(topic *plan.Topic) string { return t.plan.Names().Topic(topic) }

func (t *Topology) changelog(store *plan.Store) string {
	if store.Source != "" {
		return store.Source
	}
	return t.plan.Names().Changelog(store.Name())
}
