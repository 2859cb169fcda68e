package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// What the topology reads.
var (
	Positions = topology.NewTopic("localizacao-veiculos", codec.String, codec.JSON[fleet.Position]()).TimeFrom(fleet.Position.Time)
	Trips     = topology.NewTopic("viagens", codec.String, codec.JSON[fleet.Timetable]())
)

// What it writes, all keyed by vehicle.
var (
	Speeds     = topology.NewTopic("velocidade-media", codec.Windowed(codec.String).Size(speedWindow), codec.JSON[fleet.Speed]())
	Deviations = topology.NewTopic("desvios-de-rota", codec.String, codec.JSON[fleet.Deviation]())
	Delays     = topology.NewTopic("atrasos", codec.String, codec.JSON[fleet.Arrival]())
	Progress   = topology.NewTopic("progresso", codec.String, codec.JSON[fleet.Progress]())
)

// What it remembers.
var (
	sentFixes = state.NewKeyValue("posicoes-vistas", codec.String, codec.JSON[fleet.Repeats]()).Immutable()
	runs      = state.NewKeyValue("percursos", codec.String, codec.JSON[fleet.Tracker]()).Immutable()
)

const (
	speedWindow = 5 * time.Minute
	patience    = 2 * time.Hour  // a parked vehicle's fix may be an hour old when it is first sent
	runEnds     = 24 * time.Hour // without a fix, after which a run is forgotten
)

// FleetTracking makes speeds, deviations, delays and progress of positions.
func FleetTracking() (*topology.Topology, error) {
	b := topology.NewBuilder("fleet-tracking")

	positions := topology.From(b, Positions)
	valid := positions.Filter(fleet.Position.Valid)
	fixes := topology.Process(valid, "sem-repeticoes", dropRepeats, sentFixes)

	measured := fixes.Filter(fleet.Position.HasSpeed)
	fiveMinutes := topology.Window(measured, topology.Tumbling(speedWindow).Grace(patience))
	speeds := topology.Aggregate(fiveMinutes, "velocidade-5m", fleet.Speed.Add)
	speeds.To(Speeds)

	trips := topology.TableFrom(b, Trips)
	onTrip := fixes.Filter(fleet.Position.OnTrip)
	byTrip := topology.KeyBy(onTrip, "por-viagem", fleet.Position.TripFamily)
	planned := topology.Join(byTrip, trips, fleet.Position.On).Filter(fleet.Planned.Known)
	seen := topology.ProcessKV(planned, "acompanhamento", follow, runs)

	topology.FlatMap(seen, fleet.Observation.Deviations).To(Deviations)
	topology.FlatMap(seen, fleet.Observation.Delays).To(Delays)
	topology.FlatMap(seen, fleet.Observation.Advances).To(Progress)

	return b.Build()
}

// dropRepeats lets a vehicle's fix pass when it comes for the first time.
func dropRepeats(c *processor.Context[string, fleet.Position]) processor.Handler[string, fleet.Position] {
	sent := sentFixes.In(c)
	return func(r processor.Record[string, fleet.Position]) error {
		if r.Tombstone || r.NoKey {
			return nil
		}
		before, _, err := sent.Get(r.Key)
		if err != nil {
			return err
		}
		after, isNew := before.Add(r.Value)
		if !isNew {
			return nil
		}
		if err := sent.Put(r.Key, after, r.Timestamp); err != nil {
			return err
		}
		return c.Emit(r.Key, r.Value)
	}
}

// follow keeps a tracker for each run and tells what every fix shows, by vehicle.
func follow(c *processor.Context[string, fleet.Observation]) processor.Handler[string, fleet.Planned] {
	trackers := runs.In(c)
	c.Schedule(time.Hour, processor.StreamTime, func(now time.Time) error {
		return forget(trackers, fleet.InstantOf(now.Add(-runEnds)))
	})
	return func(r processor.Record[string, fleet.Planned]) error {
		run := r.Value.Run()
		before, _, err := trackers.Get(run)
		if err != nil {
			return err
		}
		after, seen, err := before.Add(r.Value)
		if err != nil {
			return err
		}
		if err := trackers.Put(run, after, r.Timestamp); err != nil {
			return err
		}
		return c.Emit(r.Value.Vehicle, seen)
	}
}

// forget removes the runs that have had no fix since.
func forget(trackers *state.KeyValue[string, fleet.Tracker], since fleet.Instant) error {
	for row, err := range trackers.All() {
		if err != nil {
			return err
		}
		if row.Value.Latest >= since {
			continue
		}
		if err := trackers.Delete(row.Key, int64(since)); err != nil {
			return err
		}
	}
	return nil
}
