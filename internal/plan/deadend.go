package plan

import "slices"

// DeadEnds returns the steps whose results nobody gets: no step takes them and they are not written or kept. Steps of
// user code (process, peek) are none: they may be there for what they do.
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
			kept := slices.Contains([]string{"process", "peek"}, n.Kind) || len(n.Stores) > 0 || n.Writes != nil
			if !taken[n] && !kept {
				ends = append(ends, n)
			}
		}
	}
	return ends
}
