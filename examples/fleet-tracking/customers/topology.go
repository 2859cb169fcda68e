package customers

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// What the topology remembers of vehicles that have deliveries, and of deliveries.
var (
	rounds      = state.NewKeyValue("percursos", codec.String, codec.JSON[Round]()).Immutable()
	signals     = state.NewKeyValue("sinais", codec.String, codec.JSON[Signal]()).Immutable()
	vehicleTime = state.NewKeyValue("relogio-dos-veiculos", codec.String, codec.JSON[fleet.Instant]())

	cases        = state.NewKeyValue("entregas-em-curso", codec.String, codec.JSON[Case]()).Immutable()
	deadlines    = state.NewKeyValue("prazos", codec.String, codec.JSON[fleet.Instant]())
	deliveryTime = state.NewKeyValue("relogio-das-entregas", codec.String, codec.JSON[fleet.Instant]())
)

// New returns the topology that makes statuses of deliveries and messages to customers. What vehicles without deliveries do ends in its
// first steps: it is neither kept nor repartitioned.
func New() (*topology.Topology, error) {
	b := topology.NewBuilder("atendimento")

	heard := topology.ProcessKV(topology.From(b, tracking.Positions), "sinal", hear, rounds, signals, vehicleTime)
	visited := topology.ProcessKV(topology.From(b, tracking.Visits), "parada", visit, rounds, signals)
	expected := topology.ProcessKV(topology.From(b, tracking.Forecasts), "previsao", expect, rounds, signals)
	news := topology.KeyBy(heard.Merge(visited, expected), "por-entrega", Event.delivery)

	plans := topology.Map(topology.From(b, tracking.Deliveries), planned)
	records := topology.FlatMap(topology.From(b, tracking.DeliveryRecords), recorded)
	told := topology.Process(news.Merge(plans, records), "situacao", follow, cases, deadlines, deliveryTime)
	messages, statuses := told.Branch(Told.isMessage)
	topology.Map(statuses, Told.status).To(Statuses)
	topology.Map(messages, Told.message).To(Messages)

	return b.Build()
}
