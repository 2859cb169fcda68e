package topology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rio-streams/rio/internal/plan"
)

// Mermaid draws the plan as a Mermaid flowchart, which Markdown renderers can show.
func (t *Topology) Mermaid() string {
	var out strings.Builder
	out.WriteString("flowchart TD\n")
	t.draw(drawing{
		begin: func(s *plan.Subtopology) {
			fmt.Fprintf(&out, "  subgraph s%d [sub-topology %d]\n", s.ID, s.ID)
		},
		end:   func() { out.WriteString("  end\n") },
		node:  func(id, label string) { fmt.Fprintf(&out, "    %s[%q]\n", id, label) },
		store: func(id, label string) { fmt.Fprintf(&out, "    %s[(%q)]\n", id, label) },
		topic: func(id, label string) { fmt.Fprintf(&out, "  %s([%q])\n", id, label) },
		edge: func(from, to, port string) {
			if port != "" {
				fmt.Fprintf(&out, "  %s -- %s --> %s\n", from, port, to)
				return
			}
			fmt.Fprintf(&out, "  %s --> %s\n", from, to)
		},
		link: func(node, store string) { fmt.Fprintf(&out, "  %s -.- %s\n", node, store) },
	})
	return out.String()
}

// DOT draws the plan in the language of Graphviz.
func (t *Topology) DOT() string {
	var out strings.Builder
	fmt.Fprintf(&out, "digraph %q {\n  node [shape=box];\n", t.plan.Application)
	t.draw(drawing{
		begin: func(s *plan.Subtopology) {
			fmt.Fprintf(&out, "  subgraph cluster_%d {\n    label=\"sub-topology %d\";\n", s.ID, s.ID)
		},
		end:   func() { out.WriteString("  }\n") },
		node:  func(id, label string) { fmt.Fprintf(&out, "    %s [label=%q];\n", id, label) },
		store: func(id, label string) { fmt.Fprintf(&out, "    %s [label=%q, shape=cylinder];\n", id, label) },
		topic: func(id, label string) { fmt.Fprintf(&out, "  %s [label=%q, shape=ellipse];\n", id, label) },
		edge: func(from, to, port string) {
			if port != "" {
				fmt.Fprintf(&out, "  %s -> %s [label=%q];\n", from, to, port)
				return
			}
			fmt.Fprintf(&out, "  %s -> %s;\n", from, to)
		},
		link: func(node, store string) { fmt.Fprintf(&out, "  %s -> %s [style=dashed, dir=none];\n", node, store) },
	})
	out.WriteString("}\n")
	return out.String()
}

// drawing is a drawing language.
type drawing struct {
	begin              func(*plan.Subtopology)
	end                func()
	node, store, topic func(id, label string)
	edge               func(from, to, port string) // port is the name of the output, empty if there is only one
	link               func(node, store string)
}

// draw draws the plan: sub-topologies with their steps and stores, then topics, then arrows.
func (t *Topology) draw(d drawing) {
	topics := map[*plan.Topic]string{}
	var order []*plan.Topic
	var arrows []func()
	topic := func(topic *plan.Topic) string {
		id, ok := topics[topic]
		if !ok {
			id = fmt.Sprintf("t%d", len(order))
			topics[topic] = id
			order = append(order, topic)
		}
		return id
	}
	for _, s := range t.plan.Subtopologies {
		d.begin(s)
		stores := map[*plan.Store]string{}
		for _, store := range s.Stores {
			stores[store] = fmt.Sprintf("s%d_%d", s.ID, len(stores))
			d.store(stores[store], store.Name())
		}
		for _, n := range s.Nodes {
			id := fmt.Sprintf("n%d", n.ID)
			d.node(id, n.Label())
			for _, in := range n.Inputs {
				port := ""
				if len(in.From.Ports) > 0 {
					port = in.From.Ports[in.Port]
				}
				arrows = append(arrows, func() { d.edge(fmt.Sprintf("n%d", in.From.ID), id, port) })
			}
			if n.Reads != nil {
				from := topic(n.Reads)
				arrows = append(arrows, func() { d.edge(from, id, "") })
			}
			if n.Writes != nil {
				to := topic(n.Writes)
				arrows = append(arrows, func() { d.edge(id, to, "") })
			}
			for _, store := range n.Stores {
				arrows = append(arrows, func() { d.link(id, stores[store]) })
			}
		}
		d.end()
	}
	for i, g := range t.plan.Globals {
		id, from := fmt.Sprintf("g%d", i), topic(g.Source.Reads)
		d.store(id, "global "+g.Store.Name())
		arrows = append(arrows, func() { d.edge(from, id, "") })
		for _, s := range t.plan.Subtopologies {
			for _, n := range s.Nodes {
				if slices.Contains(n.Globals, g) {
					arrows = append(arrows, func() { d.link(fmt.Sprintf("n%d", n.ID), id) })
				}
			}
		}
	}
	for i, topic := range order {
		d.topic(fmt.Sprintf("t%d", i), t.topicName(topic))
	}
	for _, arrow := range arrows {
		arrow()
	}
}
