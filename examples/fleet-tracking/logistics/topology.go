package logistics

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// What the topology remembers.
var (
	countedLegs   = state.NewKeyValue("trechos-contados", codec.String, codec.JSON[fleet.Leg]()).Immutable()
	countedVisits = state.NewKeyValue("paradas-contadas", codec.String, codec.JSON[fleet.Visit]()).Immutable()
	legHours      = state.NewKeyValue("horas-dos-trechos", codec.JSON[fleet.LegKey](), codec.JSON[fleet.LegHour]()).Immutable()
	stopHours     = state.NewKeyValue("horas-das-paradas", codec.JSON[fleet.StopKey](), codec.JSON[fleet.StopHour]()).Immutable()
)

// runEnds is how long after a leg or visit its run no longer tells it again.
const runEnds = 24 * time.Hour

// New returns the topology that sums up legs and dwells by the hour.
func New() (*topology.Topology, error) {
	b := topology.NewBuilder("logistica")

	legs := topology.Process(topology.From(b, tracking.Legs), "trechos", countLegs, countedLegs)
	byLeg := topology.KeyBy(legs, "por-trecho", legKeyOf)
	topology.Process(byLeg, "horas-dos-trechos", sumUpLegs, legHours).To(LegHours)

	visits := topology.Process(topology.From(b, tracking.Visits), "paradas", countVisits, countedVisits)
	byStop := topology.KeyBy(visits.Filter(stayed), "por-parada", stopKeyOf)
	topology.Process(byStop, "horas-das-paradas", sumUpVisits, stopHours).To(Dwells)

	return b.Build()
}
