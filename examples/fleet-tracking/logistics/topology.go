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
	countedLegs      = state.NewKeyValue("trechos-contados", codec.String, codec.JSON[fleet.Leg]()).Immutable()
	countedVisits    = state.NewKeyValue("paradas-contadas", codec.String, codec.JSON[fleet.Visit]()).Immutable()
	countedDetours   = state.NewKeyValue("desvios-contados", codec.String, codec.JSON[fleet.Detour]()).Immutable()
	lineDetours      = state.NewKeyValue("desvios-da-linha", codec.JSON[fleet.LineKey](), codec.JSON[fleet.LineDetours]()).Immutable()
	legHours         = state.NewKeyValue("horas-dos-trechos", codec.JSON[fleet.LegKey](), codec.JSON[fleet.LegHour]()).Immutable()
	waitingSchedules = state.NewKeyValue("viagens-a-espera", codec.String, codec.JSON[[]fleet.Schedule]()).Immutable()
	audiences        = state.NewKeyValue("interessados", codec.JSON[fleet.LegKey](), codec.JSON[audience]()).Immutable()
	corrections      = state.NewKeyValue("correcoes", codec.String, codec.JSON[fleet.Correction]()).Immutable()
	stopHours        = state.NewKeyValue("horas-das-paradas", codec.JSON[fleet.StopKey](), codec.JSON[fleet.StopHour]()).Immutable()
)

// runEnds is how long after a leg or visit its run no longer tells it again.
const runEnds = 24 * time.Hour

// plan is what the steps look up.
type plan struct {
	paths *topology.Table[string, fleet.Path]
}

// New returns the topology that sums up legs and dwells by the hour, finds repeated detours and corrects timetables.
func New() (*topology.Topology, error) {
	b := topology.NewBuilder("logistica")

	legs := topology.Process(topology.From(b, tracking.Legs), "trechos", countLegs, countedLegs)
	byLeg := topology.KeyBy(legs, "por-trecho", legKeyOf)
	summaries := topology.Process(byLeg, "horas-dos-trechos", sumUpLegs, legHours)
	summaries.To(LegHours)

	visits := topology.Process(topology.From(b, tracking.Visits), "paradas", countVisits, countedVisits)
	byStop := topology.KeyBy(visits.Filter(stayed), "por-parada", stopKeyOf)
	topology.Process(byStop, "horas-das-paradas", sumUpVisits, stopHours).To(Dwells)

	detours := topology.Process(topology.From(b, tracking.Detours), "desvios", countDetours, countedDetours)
	byLine := topology.KeyBy(detours.Filter(skips), "por-linha", lineKeyOf)
	topology.Process(byLine, "desvios-da-linha", findRepeated, lineDetours).To(Detours)

	p := plan{topology.TableFrom(b, tracking.Paths)}
	byPath := topology.KeyBy(topology.FlatMap(topology.From(b, tracking.Trips), schedules), "por-trajeto", pathOf)
	meetings := topology.Map(byPath, scheduleMeets).Merge(topology.Map(p.paths.ToStream(), pathMeets))
	trips := topology.Process(meetings, "viagens-com-trajeto", p.meet, waitingSchedules, p.paths)

	// A trip is told when the times of one of its legs change.
	byPart := topology.KeyBy(topology.FlatMap(trips, fleet.PlannedTrip.Parts), "por-trecho-previsto", legKeyOfPart)
	news := topology.Map(summaries, newsOfLeg).Merge(topology.Map(byPart, newsOfPart))
	advised := topology.KeyBy(topology.Process(news, "conselhos", advise, audiences), "conselhos-por-viagem", tripOfAdvised)
	byTrip := topology.KeyBy(trips, "por-viagem", tripOf)
	revisions := topology.Map(advised, revisionByAdvice).Merge(topology.Map(byTrip, revisionByPlan))
	topology.Process(revisions, "horarios", revise, corrections).To(Timetables)

	return b.Build()
}
