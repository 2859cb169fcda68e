package logistics

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/topology"
)

// SourceTopics are the topics that the topology reads.
func SourceTopics() []string {
	return []string{tracking.Legs.Name(), tracking.Visits.Name(), tracking.Detours.Name(), tracking.Trips.Name(), tracking.Paths.Name()}
}

// What the topology writes.
var (
	LegHours   = topology.NewTopic("trechos-por-hora", codec.JSON[fleet.LegKey](), codec.JSON[fleet.LegSummary]())
	Detours    = topology.NewTopic("desvios-repetidos", codec.JSON[fleet.LineKey](), codec.JSON[fleet.RepeatedDetours]())
	Timetables = topology.NewTopic("horarios-corrigidos", codec.String, codec.JSON[fleet.CorrectedTrip]()) // keyed by trip
	Dwells     = topology.NewTopic("esperas-por-hora", codec.JSON[fleet.StopKey](), codec.JSON[fleet.DwellSummary]())
)

// ResultTopics are the topics that the topology writes.
func ResultTopics() []string {
	return []string{LegHours.Name(), Dwells.Name(), Detours.Name(), Timetables.Name()}
}
