package topology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rio-streams/rio/internal/plan"
)

// compile cuts the declared nodes at their topics into sub-topologies and checks what can only be seen in the whole.
func (b *Builder) compile() *plan.Plan {
	p := &plan.Plan{Application: b.application, Topics: b.topics}
	group := b.components()
	at := map[int]*plan.Subtopology{}
	for _, n := range b.nodes { // declared inputs first, so this order is topological
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
			group[find(n.ID)] = find(in.ID)
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

// checkCopartition notes that the sources of a stateful sub-topology must agree in their partitions.
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
		n := stateful[0] // to name, but a join tells more
		if i := slices.IndexFunc(stateful, func(n *plan.Node) bool { return len(n.Inputs) > 1 }); i >= 0 {
			n = stateful[i]
		}
		b.mistake(n.Where, "the inputs of %s are not co-partitioned: %s; declare one number, or pass one of them through topology.KeyBy", n.Label(), strings.Join(wants, ", "))
	}
}

// checkCycles reports topics through which records would go round for ever.
func (b *Builder) checkCycles(p *plan.Plan) {
	readers := map[*plan.Topic]*plan.Subtopology{}
	for _, s := range p.Subtopologies {
		for _, source := range s.Sources {
			readers[source.Reads] = s
		}
	}
	const visiting, done = 1, 2
	mark := map[*plan.Subtopology]int{}
	var path []string
	var visit func(*plan.Subtopology)
	visit = func(s *plan.Subtopology) {
		mark[s] = visiting
		for _, n := range s.Nodes {
			next := readers[n.Writes]
			if n.Writes == nil || next == nil {
				continue
			}
			path = append(path, n.Writes.Name)
			switch mark[next] {
			case visiting:
				b.mistake(n.Where, "a cycle: what is written to %q is read again on the way to it (%s); write to another topic", n.Writes.Name, strings.Join(path, " → "))
			case done:
			default:
				visit(next)
			}
			path = path[:len(path)-1]
		}
		mark[s] = done
	}
	for _, s := range p.Subtopologies {
		if mark[s] == 0 {
			visit(s)
		}
	}
}
