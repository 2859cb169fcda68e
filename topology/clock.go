package topology

import (
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
)

// nameClocks names the times of a sub-topology's windows. They are committed under these names, and a window has none of its own, so
// it has that of the first durable thing behind it: a step before or behind the window may come and go without moving its time.
func (b *Builder) nameClocks(s *plan.Subtopology) {
	uses := map[string]int{}
	bytes := 0
	for _, store := range s.Stores {
		if store.Retention() > 0 {
			bytes += clockBytes(store.Name())
		}
	}
	for _, n := range s.Nodes {
		if !b.timed[n] {
			continue
		}
		name := ">" + durableName(s, n)
		if uses[name]++; uses[name] > 1 {
			name += fmt.Sprintf("#%d", uses[name])
		}
		n.Clock = name
		bytes += clockBytes(name)
		if bytes > mostClockBytes {
			b.mistake(n.Where, "too many windows read the same topics: their times would not fit beside the committed offsets, where Kafka has room for 4096 bytes; pass some of the streams through topology.KeyBy, or give their stores shorter names")
			return
		}
	}
}

// mostClockBytes is the room for the times of operators in the metadata of an offset, of which Kafka takes 4096 bytes.
const mostClockBytes = 4000

// clockBytes is what a clock takes there: " name=1767254400000".
func clockBytes(name string) int { return len(name) + len(" =-9223372036854") }

// durableName returns the name of the first store behind n, or else of the first topic or step that has a name.
func durableName(s *plan.Subtopology, n *plan.Node) string {
	name := ""
	for _, behind := range downstream(s, n) {
		switch {
		case len(behind.Stores) > 0:
			return behind.Stores[0].Name()
		case name != "":
		case behind.Writes != nil:
			name = "to:" + behind.Writes.Name
		case behind.Kind == "process":
			name = "process:" + behind.Name
		}
	}
	return name
}

// downstream returns the nodes of s that records of n reach, in the order of their declaration.
func downstream(s *plan.Subtopology, n *plan.Node) []*plan.Node {
	reached := map[*plan.Node]bool{n: true}
	var nodes []*plan.Node
	for _, next := range s.Nodes { // in topological order
		for _, in := range next.Inputs {
			if !in.Lookup && reached[in.From] && !reached[next] {
				reached[next] = true
				nodes = append(nodes, next)
			}
		}
	}
	return nodes
}
