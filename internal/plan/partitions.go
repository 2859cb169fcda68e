package plan

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ResolvePartitions computes the numbers of partitions of all topics, given those of the external topics, which exist
// or will be created. A repartition topic that is joined gets the number of its partners; otherwise it gets the
// declared number, or the largest number of the topics that its records, and those of its partners, come from. Sources that share state must have
// the same number, or else records of one key would go to different tasks.
func (p *Plan) ResolvePartitions(external map[string]int32) (map[string]int32, error) {
	counts := make(map[string]int32, len(p.Topics))
	for name, t := range p.Topics {
		if t.Internal {
			counts[name] = t.Partitions
		} else {
			counts[name] = external[name]
		}
	}
	p.resolve(counts)
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

// resolve computes the numbers of the repartition topics. It first propagates numbers between sub-topologies. A
// sub-topology may read what it writes, directly or through others; then only the sources count from which the topic's
// records come. Records do not go in circles, so there is always a topic whose sources are known.
func (p *Plan) resolve(counts map[string]int32) {
	apply := func(rule func(*Topic, map[string]int32) int32, most int) (resolved int) {
		for _, t := range p.Repartitions {
			if counts[t.Name] != 0 || resolved == most {
				continue
			}
			if counts[t.Name] = rule(t, counts); counts[t.Name] != 0 {
				resolved++
			}
		}
		return resolved
	}
	all := len(p.Repartitions)
	for {
		for apply(p.partnersOf, all) > 0 || apply(p.upstreamOfPartners, all) > 0 {
			continue
		}
		if apply(p.sourcesOf, 1) == 0 { // one only: the others may be its partners
			return
		}
	}
}

// partnersOf returns the number of partitions of a topic that is co-partitioned with t, 0 if none is known.
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

// upstreamOfPartners returns the largest number of partitions that upstreamOf gives for t and for the topics that are
// co-partitioned with it, or the number that one of these already has.
func (p *Plan) upstreamOfPartners(t *Topic, counts map[string]int32) int32 {
	if n := p.partnersOf(t, counts); n > 0 {
		return n
	}
	most := p.upstreamOf(t, counts)
	for _, set := range p.Copartitioned {
		if most == 0 || !slices.Contains(set, t.Name) {
			continue
		}
		for _, name := range set {
			most = max(most, p.upstreamOf(p.Topics[name], counts))
		}
	}
	return most
}

// upstreamOf returns the largest number of partitions among the sources of the sub-topologies that write t, 0 while one
// of them is unknown.
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

// sourcesOf returns the largest number of partitions among the sources that t's records come from, 0 while one of them
// is unknown.
func (p *Plan) sourcesOf(t *Topic, counts map[string]int32) int32 {
	var most int32
	known := true
	seen := map[*Node]bool{}
	var back func(*Node)
	back = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.Reads != nil {
			known = known && counts[n.Reads.Name] != 0
			most = max(most, counts[n.Reads.Name])
		}
		for _, in := range n.Inputs {
			if !in.Lookup {
				back(in.From)
			}
		}
	}
	for _, s := range p.Subtopologies {
		for _, n := range s.Nodes {
			if n.Writes == t {
				back(n)
			}
		}
	}
	if !known {
		return 0
	}
	return most
}

// TaskName returns the name of the task of s on a partition, as in Kafka Streams: <sub-topology>_<partition>.
func (s *Subtopology) TaskName(partition int32) string {
	return strconv.Itoa(s.ID) + "_" + strconv.Itoa(int(partition))
}

// Tasks returns the number of tasks of s: the number of partitions of its largest source.
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
