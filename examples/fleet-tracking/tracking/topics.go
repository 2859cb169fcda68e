package tracking

import (
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// What the topology reads.
var (
	Positions = topology.NewTopic("localizacao-veiculos", codec.String, codec.JSON[fleet.Position]()).TimeFrom(fleet.Position.Time)
	Trips     = topology.NewTopic("viagens", codec.String, codec.JSON[fleet.Timetable]())
	Paths     = topology.NewTopic("trajetos", codec.String, codec.JSON[fleet.Path]())

	// Assignments say who drives a vehicle, and on which trip while it does not say so itself.
	Assignments = topology.NewTopic("atribuicoes", codec.String, codec.JSON[fleet.Assignments]())
)

// What customers were promised, and what drivers note of it.
var (
	Deliveries      = topology.NewTopic("entregas", codec.String, codec.JSON[fleet.Delivery]())
	DeliveryRecords = topology.NewTopic("registros-de-entrega", codec.String, codec.JSON[fleet.DeliveryRecord]())
)

// What it writes, all keyed by vehicle.
var (
	Accounts   = topology.NewTopic("contas", codec.String, codec.JSON[fleet.Account]())
	Speeds     = topology.NewTopic("velocidade-media", windowed, codec.JSON[fleet.Speed]())
	Motions    = topology.NewTopic("velocidade-por-posicoes", windowed, codec.JSON[fleet.PositionSpeed]())
	Deviations = topology.NewTopic("desvios-de-rota", codec.String, codec.JSON[fleet.Deviation]())
	Delays     = topology.NewTopic("atrasos", codec.String, codec.JSON[fleet.Arrival]())
	Progress   = topology.NewTopic("progresso", codec.String, codec.JSON[fleet.Progress]())
	Visits     = topology.NewTopic("paradas", codec.String, codec.JSON[fleet.Visit]())
	Legs       = topology.NewTopic("trechos", codec.String, codec.JSON[fleet.Leg]())
	Forecasts  = topology.NewTopic("previsoes", codec.String, codec.JSON[fleet.ForecastRecord]())
	Detours    = topology.NewTopic("saidas-do-corredor", codec.String, codec.JSON[fleet.Detour]())
	Unused     = topology.NewTopic("posicoes-sem-uso", codec.String, codec.JSON[fleet.Unused]())
)

// ResultTopics are the topics that the topology writes.
func ResultTopics() []string {
	return []string{
		Accounts.Name(), Speeds.Name(), Motions.Name(), Deviations.Name(), Delays.Name(), Progress.Name(),
		Visits.Name(), Legs.Name(), Detours.Name(), Forecasts.Name(), Unused.Name(), Invalid,
	}
}

// Invalid is the topic of dead letters: what comes to localizacao-veiculos and is no position.
const Invalid = "localizacao-veiculos-invalidas"

// CheckPosition returns why a record of localizacao-veiculos is no position: its bytes are none, or its time is one that no log can
// have. Such a record does not reach the topology; what becomes of it is up to the policy of the decode stage.
func CheckPosition(key, value []byte) error {
	if key != nil {
		if _, err := Positions.KeyCodec().Decode(key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	if value == nil {
		return nil
	}
	p, err := Positions.ValueCodec().Decode(value)
	if err == nil && (p.Instant < 0 || p.Instant > state.LatestTime) {
		err = fmt.Errorf("instante %d is no time in milliseconds since 1970", p.Instant)
	}
	return err
}

// windowed is the codec of a vehicle and a window of its speed.
var windowed = codec.Windowed(codec.String).Size(fleet.MotionWindow)
