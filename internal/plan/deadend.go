package plan

import "slices"

// DeadEnds returns the steps whose results are not used: no other step takes them, and they are not written to a topic
// or a store. Custom steps (process, peek, foreach, map-async) are not included, because they may have side effects.
func (p *Plan) DeadEnds() []*Node {
	var ends []*Node
	for _, sub := range p.Subtopologies {
		taken := map[*Node]bool{}
		for _, n := range sub.Nodes {
			for _, in := range n.Inputs {
				taken[in.From] = true
			}
		}
		for _, n := range sub.Nodes {
			kept := slices.Contains([]string{"process", "peek", "foreach", "map-async"}, n.Kind) || len(n.Stores) > 0 || n.Writes != nil
			if !taken[n] && !kept {
				ends = append(ends, n)
			}
		}
	}
	return ends
}
