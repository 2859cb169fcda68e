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
	countedLegs    = state.NewKeyValue("trechos-contados", codec.String, codec.JSON[fleet.Leg]()).Immutable()
	countedVisits  = state.NewKeyValue("paradas-contadas", codec.String, codec.JSON[fleet.Visit]()).Immutable()
	countedDetours = state.NewKeyValue("desvios-contados", codec.String, codec.JSON[fleet.Detour]()).Immutable()
	lineDetours    = state.NewKeyValue("desvios-da-linha", codec.JSON[fleet.LineKey](), codec.JSON[fleet.LineDetours]()).Immutable()
	legHours       = state.NewKeyValue("horas-dos-trechos", codec.JSON[fleet.LegKey](), codec.JSON[fleet.LegHour]()).Immutable()
	toldAdvice     = state.NewKeyValue("conselhos", codec.JSON[fleet.LegKey](), codec.JSON[fleet.Advice]())
	audiences      = state.NewKeyValue("interessados", codec.JSON[link](), codec.JSON[audience]()).Immutable()
	pathTrips      = state.NewKeyValue("viagens-do-trajeto", codec.JSON[pathTrip](), codec.JSON[fleet.Schedule]()).Immutable()
	pathHours      = state.NewKeyValue("horas-do-trajeto", codec.JSON[pathHourKey](), codec.JSON[pathHour]()).Immutable()
	stopHours      = state.NewKeyValue("horas-das-paradas", codec.JSON[fleet.StopKey](), codec.JSON[fleet.StopHour]()).Immutable()
)

// runEnds is how long after a leg or visit its run no longer tells it again. When a log is worked through, one vehicle may be days ahead of
// another.
const runEnds = 7 * 24 * time.Hour

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
	links := topology.KeyBy(topology.Process(p.paths.ToStream(), "ligacoes", lay), "por-ligacao", linkOfPath)
	advice := topology.KeyBy(topology.Process(summaries, "conselhos", advise, toldAdvice), "conselhos-por-ligacao", linkOfAdvised)
	news := topology.Map(links, newsOfPath).Merge(topology.Map(advice, newsOfAdvised))
	ofPaths := topology.KeyBy(topology.Process(news, "interessados", spread, audiences), "conselhos-por-trajeto", pathOfPlace)
	trips := topology.KeyBy(topology.FlatMap(topology.From(b, tracking.Trips), plannedTrips), "por-trajeto", pathOfTrip)
	onPaths := topology.Map(trips, newsOfTrip).Merge(topology.Map(ofPaths, newsOfAdvice))
	topology.ProcessKV(onPaths, "horarios", p.correct, pathTrips, pathHours, p.paths).To(Timetables)

	return b.Build()
}
