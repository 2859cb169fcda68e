package topology_test

import (
	"time"

	"github.com/rio-streams/rio/topology"
)

func init() {
	mistaken["versioned"] = func() *topology.Builder {
		b := topology.NewBuilder("versioned")
		in, table := topology.From(b, texts("in")), topology.TableFrom(b, texts("table"))
		topology.Versioned(table, 0)
		topology.Versioned(topology.Count(in, "counts"), time.Hour)
		topology.Versioned(topology.MapTable(table, itself), time.Hour)
		topology.Versioned(topology.Count(topology.Window(in, topology.Tumbling(time.Hour)), "hours"), time.Hour)
		short := topology.Versioned(topology.TableFrom(b, texts("short")), time.Minute)
		topology.Versioned(short, time.Hour)

		topology.Reorder(in, "", time.Minute)
		topology.Reorder(in, "none", 0)
		topology.Reorder(topology.MapKV(in, swap), "by-value", time.Minute)
		topology.Reorder(in, "same", time.Minute)
		topology.Reorder(in, "same", time.Minute)
		plus := func(a, b string) string { return a + b }
		topology.Join(topology.Reorder(in, "held", time.Hour), short.Filter(isEmpty), plus)
		return b
	}
}
