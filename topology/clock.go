package topology

import (
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
)

// nameClocks names the clocks of a sub-topology's windows and sources. Their times are committed under these names. A window has no
// name, so its clock is called after the first durable thing that follows: then steps before or after the window can be
// added and removed without moving its time. The clock of an aggregate is called after its own store.
func (b *Builder) nameClocks(s *plan.Subtopology) {
	uses := map[string]int{}
	bytes := 0
	for _, store := range s.Stores {
		if store.Retention() > 0 || store.History > 0 {
			bytes += clockBytes(store.Name())
		}
	}
	for _, n := range s.Nodes {
		if !b.timed[n] {
			continue
		}
		name := ">" + durableName(s, n)
		if n.Name != "" && len(n.Stores) > 0 { // a join of streams, which has stores of its own
			name = "join:" + n.Name
		}
		if n.Kind == "distinct" || n.Kind == "suppress" {
			name = n.Kind + ":" + n.Name
		}
		if n.Reads != nil { // the time of its partition
			name = "topic:" + n.Reads.Name
		}
		if uses[name]++; uses[name] > 1 {
			name += fmt.Sprintf("#%d", uses[name])
		}
		n.Clock = name
		bytes += clockBytes(name)
		if bytes > maxClockBytes {
			b.mistake(n.Where, "too many windows read the same topics: their times do not fit into the metadata of the committed offsets, which Kafka limits to 4096 bytes; pass some of the streams through topology.KeyBy, or give their stores shorter names")
			return
		}
	}
}

// maxClockBytes is the space for the times of operators in the metadata of an offset, which Kafka limits to 4096 bytes.
const maxClockBytes = 4000

// clockBytes is the space that a clock takes there: " name=1767254400000".
func clockBytes(name string) int { return len(name) + len(" =-9223372036854") }

// durableName returns the name of the first store of n or after it, or else of the first topic or step with a name.
func durableName(s *plan.Subtopology, n *plan.Node) string {
	name := ""
	for _, behind := range append([]*plan.Node{n}, downstream(s, n)...) {
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

// downstream returns the nodes of s that records of n can reach, in the order of their declaration.
func downstream(s *plan.Subtopology, n *plan.Node) []*plan.Node {
	reached := map[*plan.Node]bool{n: true}
	var nodes []*plan.Node
	for _, next := range s.Nodes { // in topological order
		for _, in := range next.Inputs {
			late := in.Port > 0 && latePorts[in.From.Kind] != nil // must not rename the clock
			if !in.Lookup && !late && reached[in.From] && !reached[next] {
				reached[next] = true
				nodes = append(nodes, next)
			}
		}
	}
	return nodes
}
