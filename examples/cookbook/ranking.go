package main

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// Ranking counts the products of an hour.
type Ranking map[string]int64

// sold is how often a product was sold in an hour.
type sold = processor.Record[codec.WindowKey[string], int64]

var Best = topology.NewTopic("mais-vendidos", codec.String, codec.JSON[[]string]())

// ranking keeps the three products that sell best in each hour. When the count of a product changes, the old count leaves
// the ranking and the new one enters it.
func ranking() (*topology.Topology, error) {
	b := topology.NewBuilder("ranking")

	byProduct := topology.KeyBy(topology.From(b, Sales), "por-produto", Sale.SoldProduct)
	perHour := topology.Count(topology.Window(byProduct, topology.Tumbling(time.Hour)), "por-hora")
	hour := func(s sold) string { return s.Key.Start.Format(time.RFC3339) }
	rankings := topology.AggregateTableBy(topology.Rows(perHour), "rankings", hour, Ranking.Add, Ranking.Remove)
	topology.MapTable(rankings, Ranking.Best).To(Best)

	return b.Build()
}

// Add returns the ranking with the count of one more product.
func (r Ranking) Add(s sold) Ranking {
	after := maps.Clone(r)
	if after == nil {
		after = Ranking{}
	}
	after[s.Key.Key] = s.Value
	return after
}

// Remove returns the ranking without a product.
func (r Ranking) Remove(s sold) Ranking {
	after := maps.Clone(r)
	delete(after, s.Key.Key)
	return after
}

// Best returns the three products with the greatest counts.
func (r Ranking) Best() []string {
	products := slices.SortedFunc(maps.Keys(r), func(p, q string) int { return cmp.Or(cmp.Compare(r[q], r[p]), cmp.Compare(p, q)) })
	return products[:min(3, len(products))]
}
