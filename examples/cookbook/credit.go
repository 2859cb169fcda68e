package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// Topics gastos and recusas have amounts in cents by customer, topic limites what a customer may spend in a day.
var (
	Spendings = topology.NewTopic("gastos", codec.String, codec.Int64)
	Limits    = topology.NewTopic("limites", codec.String, codec.Int64)
	Accepted  = topology.NewTopic("gastos-aceitos", codec.String, codec.Int64)
	Refused   = topology.NewTopic("recusas", codec.String, codec.Int64)

	spent    = state.NewKeyValue("gasto-do-dia", codec.String, codec.Int64)
	refusals = processor.NewOutput("recusas", codec.String, codec.Int64)
)

// credit lets pass what is within the limit of a customer and day. The others go to another topic.
func credit() (*topology.Topology, error) {
	b := topology.NewBuilder("credito")

	limits := topology.TableFrom(b, Limits)
	accepted := topology.Process(topology.From(b, Spendings), "limite", check(limits), spent, limits, refusals)
	accepted.To(Accepted)
	topology.Output(accepted, refusals).To(Refused)

	return b.Build()
}

// check is the step. It forgets at midnight what was spent.
func check(limits *topology.Table[string, int64]) func(*processor.Context[string, int64]) processor.Handler[string, int64] {
	return func(c *processor.Context[string, int64]) processor.Handler[string, int64] {
		limits, spent, refusals, unlimited := limits.In(c), spent.In(c), refusals.In(c), c.Counter("unlimited")
		c.Schedule(24*time.Hour, processor.StreamTime, func(midnight time.Time) error {
			for row, err := range spent.All() {
				if err != nil {
					return err
				}
				if err := spent.Delete(row.Key, midnight.UnixMilli()); err != nil {
					return err
				}
			}
			return nil
		})
		return func(r processor.Record[string, int64]) error {
			limit, limited, err := limits.Get(r.Key)
			if err != nil {
				return err
			}
			before, _, err := spent.Get(r.Key)
			if err != nil {
				return err
			}
			switch {
			case !limited:
				unlimited.Add(1)
			case before+r.Value > limit:
				return refusals.Emit(r.Key, r.Value)
			}
			if err := spent.Put(r.Key, before+r.Value, r.Timestamp); err != nil {
				return err
			}
			return c.Emit(r.Key, r.Value)
		}
	}
}
