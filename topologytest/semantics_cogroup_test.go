package topologytest_test

import (
	"regexp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

var (
	adderText   = regexp.MustCompile(`\(k,v,agg\)->agg \+ "(.)" \+ v`)
	initialText = regexp.MustCompile(`aggregate\(\(\)->"([^"]*)"`)
	mergerText  = regexp.MustCompile(`\(aggKey,aggOne,aggTwo\)->aggOne \+ "(.)" \+ aggTwo`)
)

// cogroup aggregates all inputs of a case into one table, as the Java tests do. The separators and the initial value are
// those of the case. Where the Java test has two streams and the inputs of one, the other is empty.
func (c *semanticsCase) cogroup(b *topology.Builder) {
	sides := append(c.sides(), "topic2")
	var parts []topology.Part[codec.WindowKey[string], string]
	for i, adder := range adderText.FindAllStringSubmatch(c.Topology, -1) {
		s := topology.Window(topology.From(b, textTopic(sides[i])), c.windows())
		parts = append(parts, topology.Adding(s, func(sum, v string) string { return sum + adder[1] + v }))
	}
	initial := initialText.FindStringSubmatch(c.Topology)[1]
	table := topology.Cogroup("cogroup", parts[0], parts[1:]...).Initially(func() string { return initial })
	if c.Window.Type == "session" {
		between := mergerText.FindStringSubmatch(c.Topology)[1]
		table.Merging(func(one, two string) string { return one + between + two })
	}
	table.To(c.windowed("out"))
}
