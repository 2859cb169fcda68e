package tracking

import (
	"cmp"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// What the topology remembers.
var (
	newestFix   = state.NewKeyValue("posicao-mais-nova", codec.String, codec.JSON[fleet.Instant]())
	sentFixes   = state.NewKeyValue("posicoes-vistas", codec.String, codec.JSON[fleet.Repeats]()).Immutable()
	latestFixes = state.NewKeyValue("posicoes-atuais", codec.String, codec.JSON[fleet.Fix]()).Immutable()
	recentFixes = state.NewWindow("posicoes-recentes", codec.String, codec.JSON[fleet.Fix](), fleet.MotionWindow, grace+3*fleet.MotionWindow).Immutable()
	handovers   = state.NewKeyValue("percurso-atual", codec.String, codec.JSON[fleet.Handover]()).Immutable()
	runs        = state.NewKeyValue("percursos", codec.String, codec.JSON[fleet.Tracker]()).Immutable()
	calls       = state.NewKeyValue("paradas-do-percurso", codec.String, codec.JSON[fleet.VisitTracker]()).Immutable()
	told        = state.NewKeyValue("previsoes-do-percurso", codec.String, codec.JSON[fleet.Told]()).Immutable()
	histories   = state.NewKeyValue("historia-do-trajeto", codec.String, codec.JSON[fleet.History]()).Immutable()
)

// Time is that of the newest fix of any vehicle. When a log is worked through, one vehicle may be days ahead of another, so runEnds is much
// longer than any break.
const (
	grace   = 2 * time.Hour      // a parked vehicle's fix may be an hour old when it is first sent
	runEnds = 7 * 24 * time.Hour // without a fix, after which a run is forgotten
)

// Fixes returns the stream of fixes in topic localizacao-veiculos, by vehicle: the positions that have a place, a time and a clock that
// can be right, each once. It is for topologies of their own beside this one. What it needs to recognise repeats, it keeps in the store
// posicoes-vistas.
func Fixes(b *topology.Builder) *topology.Stream[string, fleet.Position] { return fixesOf(rows(b)) }

// rows judges each row of positions.
func rows(b *topology.Builder) *topology.Stream[string, fleet.Row] {
	return topology.Process(topology.From(b, Positions), "triagem", judge, sentFixes)
}

func fixesOf(rows *topology.Stream[string, fleet.Row]) *topology.Stream[string, fleet.Position] {
	return topology.Map(rows.Filter(fleet.Row.IsFix), fleet.Row.Position)
}

// Config are definitions that a company may change. The zero value has those of the package.
type Config struct {
	// OffRoute is the distance in metres from the line of a trip beyond which a vehicle is off its route. It is for trips whose path has
	// no corridor of its own, as those of a GTFS feed. Default: 100.
	OffRoute float64
}

// along returns how a fix is joined with the path of its trip.
func (cfg Config) along(s fleet.Scheduled, path fleet.Path, known bool) fleet.Planned {
	path.Corridor = cmp.Or(path.Corridor, cfg.OffRoute)
	return s.Along(path, known)
}

// New returns the topology that makes speeds, deviations, delays, progress, visits of stops, legs and detours of positions.
func New(cfg Config) (*topology.Topology, error) {
	b := topology.NewBuilder("fleet-tracking")

	rows := rows(b)
	topology.Aggregate(topology.Process(rows, "prazo", noticeLate, newestFix), "contas", fleet.Account.Add).To(Accounts)
	fixes := fixesOf(rows)

	fiveMinutes := topology.Tumbling(fleet.MotionWindow).Grace(grace)
	reported := topology.Window(fixes.Filter(fleet.Position.HasSpeed), fiveMinutes)
	topology.Aggregate(reported, "velocidade-5m", fleet.Speed.Add).To(Speeds)
	measured := topology.Window(topology.Process(fixes, "movimento", measure, latestFixes, recentFixes), fiveMinutes)
	topology.Aggregate(measured, "movimento-5m", fleet.PositionSpeed.Add).To(Motions)

	assigned := topology.LeftJoin(fixes.Filter(fleet.Position.OffTrip), topology.TableFrom(b, Assignments), fleet.Position.Assigned)
	placed := fixes.Filter(fleet.Position.OnTrip).Merge(assigned)
	ofRuns := topology.Process(placed, "passagem", handOver, handovers)
	byTrip := topology.KeyBy(ofRuns, "por-viagem", fleet.RunFix.TripFamily)
	scheduled := topology.LeftJoin(byTrip, topology.TableFrom(b, Trips),
		func(fix fleet.RunFix, trips fleet.Timetable, _ bool) fleet.Scheduled { return fix.On(trips) })
	byPath := topology.KeyBy(scheduled, "por-trajeto", fleet.Scheduled.PathKey)
	planned := topology.LeftJoin(byPath, topology.TableFrom(b, Paths), cfg.along)

	seen := topology.ProcessKV(planned.Filter(fleet.Planned.Own).Filter(fleet.Planned.Known), "acompanhamento", follow, runs)
	topology.FlatMap(seen, fleet.Observation.Deviations).To(Deviations)
	topology.FlatMap(seen, fleet.Observation.Delays).To(Delays)
	topology.FlatMap(seen, fleet.Observation.Advances).To(Progress)

	called := topology.ProcessKV(planned, "paradas", visit, calls, told, histories)
	topology.FlatMap(called, fleet.Stops.AtStops).To(Visits)
	topology.FlatMap(called, fleet.Stops.Between).To(Legs)
	topology.FlatMap(called, fleet.Stops.Detours).To(Detours)
	topology.FlatMap(called, fleet.Stops.Advances).To(Progress) // of trips without a shape
	topology.FlatMap(called, fleet.Stops.Unuseds).To(Unused)
	topology.FlatMap(called, fleet.Stops.Forecasts).To(Forecasts)
	topology.Map(assigned.Filter(fleet.Position.OffTrip), fleet.Position.WithoutTrip).To(Unused)

	return b.Build()
}
