package topology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rio-streams/rio/internal/plan"
)

// compile cuts the declared nodes at their topics into sub-topologies and makes the checks that need the whole graph.
func (b *Builder) compile() *plan.Plan {
	p := &plan.Plan{Application: b.application, Topics: b.topics}
	group := b.components()
	at := map[int]*plan.Subtopology{}
	for _, n := range b.nodes { // inputs are declared first, so this order is topological
		if n.Kind == globalTable {
			p.Globals = append(p.Globals, b.globals[n])
			continue
		}
		s, ok := at[group[n.ID]]
		if !ok {
			s = &plan.Subtopology{ID: len(p.Subtopologies)}
			at[group[n.ID]] = s
			p.Subtopologies = append(p.Subtopologies, s)
		}
		s.Nodes = append(s.Nodes, n)
		if n.Reads != nil {
			s.Sources = append(s.Sources, n)
		}
		if n.Writes != nil {
			n.Writes.Written = true
		}
		if n.Reads != nil && n.Reads.Internal {
			p.Repartitions = append(p.Repartitions, n.Reads)
		}
		for _, store := range n.Stores {
			if !slices.Contains(s.Stores, store) {
				s.Stores = append(s.Stores, store)
			}
		}
	}
	for _, s := range p.Subtopologies {
		b.checkCopartition(p, s)
		b.nameClocks(s)
	}
	b.checkCycles(p)
	return p
}

// components numbers the connected components of the graph whose edges are inputs and shared stores.
func (b *Builder) components() []int {
	group := make([]int, len(b.nodes))
	for i := range group {
		group[i] = i
	}
	find := func(i int) int {
		for group[i] != i {
			i = group[i]
		}
		return i
	}
	owner := map[*plan.Store]int{}
	for _, n := range b.nodes {
		for _, in := range n.Inputs {
			group[find(n.ID)] = find(in.From.ID)
		}
		for _, store := range n.Stores {
			if first, ok := owner[store]; ok {
				group[find(n.ID)] = find(first)
			} else {
				owner[store] = n.ID
			}
		}
	}
	for i := range group {
		group[i] = find(i)
	}
	return group
}

// checkCopartition reports a mistake if the sources of a stateful sub-topology cannot have the same number of
// partitions.
func (b *Builder) checkCopartition(p *plan.Plan, s *plan.Subtopology) {
	stateful := slices.DeleteFunc(slices.Clone(s.Nodes), func(n *plan.Node) bool { return !b.copartition[n] })
	if len(stateful) == 0 || len(s.Sources) < 2 {
		return
	}
	var set, wants []string
	counts := map[int32]bool{}
	for _, source := range s.Sources {
		set = append(set, source.Reads.Name)
		if n := source.Reads.Partitions; n != 0 {
			counts[n] = true
			wants = append(wants, fmt.Sprintf("%s declares %d", source.Reads.Name, n))
		}
	}
	p.Copartitioned = append(p.Copartitioned, set)
	if len(counts) > 1 {
		n := stateful[0] // the step to report; a join says more
		if i := slices.IndexFunc(stateful, func(n *plan.Node) bool { return len(n.Inputs) > 1 }); i >= 0 {
			n = stateful[i]
		}
		b.mistake(n.Where, "the inputs of %s are not co-partitioned: %s; declare one number, or pass one of them through topology.KeyBy", n.Label(), strings.Join(wants, ", "))
	}
}

// checkCycles reports cycles in which records would circulate forever. It follows the path of a record from the reader
// of a topic through the steps to the next topic. A sub-topology may read a topic that it writes: a stream merged with
// its own re-keyed self does so, and one joined with a table by two keys.
func (b *Builder) checkCycles(p *plan.Plan) {
	readers := map[*plan.Topic]*plan.Node{}
	next := map[*plan.Node][]*plan.Node{}
	for _, n := range b.nodes {
		if n.Reads != nil {
			readers[n.Reads] = n
		}
		for _, in := range n.Inputs {
			if !in.Lookup {
				next[in.From] = append(next[in.From], n)
			}
		}
	}
	const walking, done = 1, 2
	mark := map[*plan.Node]int{}
	var path []string // the topics on the path to the node
	var walk func(*plan.Node)
	walk = func(n *plan.Node) {
		mark[n] = walking
		for _, child := range next[n] {
			if mark[child] == 0 {
				walk(child)
			}
		}
		if reader := readers[n.Writes]; n.Writes != nil && reader != nil {
			path = append(path, n.Writes.Name)
			switch mark[reader] {
			case walking:
				b.mistake(n.Where, "a cycle: the records written to %q here were made from records of that topic (%s), so they would circulate forever; write to a topic that is not read on this path", n.Writes.Name, strings.Join(path[slices.Index(path, n.Writes.Name):], " → "))
			case done:
			default:
				walk(reader)
			}
			path = path[:len(path)-1]
		}
		mark[n] = done
	}
	for _, s := range p.Subtopologies {
		for _, source := range s.Sources {
			if mark[source] == 0 {
				path = append(path[:0], source.Reads.Name)
				walk(source)
			}
		}
	}
}
