package topology_test

import (
	"time"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

func init() {
	mistaken["global-tables"] = func() *topology.Builder {
		b := topology.NewBuilder("global-tables")
		in := topology.From(b, texts("in"))
		plus := func(a, b string) string { return a + b }
		topology.GlobalTableFrom(b, texts("ahead").MaxAhead(time.Hour))
		topology.GlobalTableFrom(b, texts("late").StartAt(topology.Latest()))
		topology.GlobalTableFrom(b, texts("letters").OnError(processor.Policy{Action: processor.DeadLetter}))
		topology.GlobalTableFrom(b, texts("in"))
		countries := topology.GlobalTableFrom(b, texts("countries"))
		topology.TableFrom(b, texts("countries"))
		topology.Count(in, "countries")

		topology.JoinGlobal(in, countries, nil, plus)
		topology.JoinGlobal(in, countries, itself, (func(a, b string) string)(nil))
		other := topology.NewBuilder("other")
		topology.JoinGlobal(in, topology.GlobalTableFrom(other, texts("countries")), itself, plus)
		topology.Process(in, "step", drop, topology.GlobalTableFrom(other, texts("countries")))
		return b
	}
	mistaken["only-global"] = func() *topology.Builder {
		b := topology.NewBuilder("only")
		topology.GlobalTableFrom(b, texts("countries"))
		return b
	}
}
