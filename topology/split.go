package topology

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Split routes each record of a stream to one of several named branches: see Stream.Split.
type Split[K, V any] struct {
	s     *Stream[K, V]
	made  *settings
	match []func(V) bool // of each branch; nil for the default

	defaulted bool // whether there is a default
}

// Split starts a split of the stream into named branches. A record goes to the first branch, in the order of their
// declaration, that matches its value, or else to the default branch:
//
//	routes := topology.From(b, events).Split()
//	routes.Branch("orders", Event.IsOrder).To(orders)
//	routes.Branch("noise", Event.IsHeartbeat) // nobody reads it
//	routes.Default("other").To(unrouted)
//
// Without a default, the records that match no branch are dropped and counted as "unrouted". Tombstones match no
// branch. The names appear in the plan.
func (s *Stream[K, V]) Split() *Split[K, V] {
	n := s.b.add("split", "", s.output())
	split := &Split[K, V]{s: s, made: &settings{node: n}}
	s.b.checkSplit(n)
	n.Build = func(l *plan.Linker) []any { return []any{split.link(l, n)} }
	return split
}

// link returns the input of the split for one task.
func (p *Split[K, V]) link(l *plan.Linker, n *plan.Node) plan.Stream[K, V] {
	var branches []plan.Stream[K, V]
	otherwise := func(*processor.Record[K, V]) error {
		l.Host.Drop(n, plan.Unrouted)
		return nil
	}
	for port, match := range p.match {
		next := plan.StreamPort[K, V](l, n, port)
		branches = append(branches, next)
		if match == nil {
			otherwise = next
		}
	}
	return func(r *processor.Record[K, V]) error {
		l.Enter(n)
		if !r.Tombstone {
			for i, match := range p.match {
				if match != nil && match(r.Value) {
					return branches[i](r)
				}
			}
		}
		return otherwise(r)
	}
}

// Branch adds a branch: the records for whose value match returns true and that no earlier branch has taken.
func (p *Split[K, V]) Branch(name string, match func(V) bool) *Stream[K, V] {
	if match == nil {
		p.s.b.mistake(callSite(), "branch %q has a nil function: it would fail at the first record", name)
	}
	return p.add(name, match)
}

// Default adds the branch of all records that no other branch takes, including tombstones.
func (p *Split[K, V]) Default(name string) *Stream[K, V] {
	if p.defaulted {
		p.s.b.mistake(callSite(), "the split has two defaults: a record can go to only one")
	}
	p.defaulted = true
	return p.add(name, nil)
}

func (p *Split[K, V]) add(name string, match func(V) bool) *Stream[K, V] {
	p.s.b.addBranch(p.made.node, name)
	p.match = append(p.match, match)
	return after[V](p.s, p.made, len(p.match)-1)
}

// addBranch adds an output to a split.
func (b *Builder) addBranch(n *plan.Node, name string) {
	where := callSite()
	if b.checkPort(where, "branch", name) && slices.Contains(n.Ports, name) {
		b.mistake(where, "the split has two branches with the name %q", name)
	}
	n.Ports = append(n.Ports, name)
}

// checkPort reports an illegal name of one of several outputs, and returns whether it is legal.
func (b *Builder) checkPort(where, kind, name string) bool {
	legal := legalName.MatchString(name)
	if !legal {
		b.mistake(where, "%s name %q: use 1 to 249 ASCII letters, digits, '.', '_' and '-'", kind, name)
	}
	return legal
}

// checkSplit reports a split that has no branches in the end.
func (b *Builder) checkSplit(n *plan.Node) {
	b.deferStep(func() {
		if len(n.Ports) == 0 {
			b.mistake(n.Where, "the split has no branches: add them with Branch and Default")
		}
	})
}
