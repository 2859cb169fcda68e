package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ResolvePartitions completes the numbers of partitions: given those of the topics that exist (or will be created)
// outside, it returns those of the repartition topics too. A repartition topic that is joined takes the number of its
// partners; otherwise it has what its declaration asks for, or as many as the largest topic that its records come from.
// Sources that share state must agree, or the records of one key would meet in different tasks.
func (p *Plan) ResolvePartitions(external map[string]int32) (map[string]int32, error) {
	counts := make(map[string]int32, len(p.Topics))
	for name, t := range p.Topics {
		if t.Internal {
			counts[name] = t.Partitions
		} else {
			counts[name] = external[name]
		}
	}
	// Upstream sub-topologies come first in the order of declaration, so as many rounds as there are repartition topics
	// are enough for every chain.
	for range len(p.Repartitions) + 1 {
		for _, t := range p.Repartitions {
			if counts[t.Name] == 0 {
				counts[t.Name] = p.partnersOf(t, counts)
			}
		}
		for _, t := range p.Repartitions {
			if counts[t.Name] == 0 {
				counts[t.Name] = p.upstreamOf(t, counts)
			}
		}
	}
	var mistakes []error
	for _, set := range p.Copartitioned {
		for _, name := range set[1:] {
			if counts[name] != counts[set[0]] {
				mistakes = append(mistakes, fmt.Errorf("topics that share state must have the same number of partitions, but %s: recreate one of them, or pass the other through KeyBy",
					describeCounts(set, counts)))
				break
			}
		}
	}
	return counts, errors.Join(mistakes...)
}

// partnersOf returns the number of partitions of a topic that t is co-partitioned with, 0 if none is known.
func (p *Plan) partnersOf(t *Topic, counts map[string]int32) int32 {
	for _, set := range p.Copartitioned {
		if !slices.Contains(set, t.Name) {
			continue
		}
		for _, name := range set {
			if counts[name] > 0 {
				return counts[name]
			}
		}
	}
	return 0
}

// upstreamOf returns the largest number of partitions among the sources of the sub-topologies that write t, 0 as long
// as one of them is unknown.
func (p *Plan) upstreamOf(t *Topic, counts map[string]int32) int32 {
	var most int32
	for _, s := range p.Subtopologies {
		if !slices.ContainsFunc(s.Nodes, func(n *Node) bool { return n.Writes == t }) {
			continue
		}
		for _, source := range s.Sources {
			if counts[source.Reads.Name] == 0 {
				return 0
			}
			most = max(most, counts[source.Reads.Name])
		}
	}
	return most
}

// Tasks returns how many tasks s has: as many as its largest source has partitions.
func (s *Subtopology) Tasks(counts map[string]int32) int32 {
	var most int32
	for _, source := range s.Sources {
		most = max(most, counts[source.Reads.Name])
	}
	return most
}

func describeCounts(names []string, counts map[string]int32) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s has %d", name, counts[name])
	}
	return strings.Join(parts, ", ")
}
