package drivers

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// What the topology remembers.
var (
	trails    = state.NewKeyValue("ultimas-posicoes", codec.String, codec.JSON[conduct.Trail]()).Immutable()
	points    = state.NewKeyValue("posicoes-por-veiculo", moment, codec.JSON[conduct.Point]()).Immutable()
	parts     = state.NewKeyValue("dias-por-veiculo", moment, codec.JSON[map[string]conduct.Part]()).Immutable() // by driver
	departed  = state.NewKeyValue("partidas", codec.String, codec.JSON[conduct.Entry]()).Immutable()
	stretches = state.NewKeyValue("ultimos-percursos", codec.String, codec.JSON[conduct.Entry]()).Immutable()
	books     = state.NewKeyValue("dias", codec.String, codec.JSON[page]()).Immutable()
)

// moment is the codec of a vehicle and a moment; it orders the moments of a vehicle by time.
var moment = codec.Windowed(codec.String)

// New returns the topology that makes figures of drivers of positions, visits, deviations and assignments. It fails if a setting is wrong.
func New(cfg Config) (*topology.Topology, error) {
	c, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := topology.NewBuilder("motoristas")
	assigned := topology.TableFrom(b, tracking.Assignments)

	fixes := topology.LeftJoin(tracking.Fixes(b), assigned, c.point)
	driven := topology.Process(fixes, "jornadas", c.measure, trails, points, parts)

	graded := topology.LeftJoin(topology.From(b, tracking.Visits).Filter(conduct.Gradable), assigned, c.call)
	calls := topology.Process(graded, "partidas", correct, departed)

	compared := topology.LeftJoin(topology.From(b, tracking.Deviations), assigned, c.stretch)
	runs := topology.Process(compared, "percursos", onlyNews, stretches)

	bySheet := topology.KeyBy(driven.Merge(calls, runs), "por-motorista", sheetKey)
	topology.Process(bySheet, "dias", c.enter, books).To(Days)

	return b.Build()
}

func sheetKey(e conduct.Entry) string { return e.Key() }
