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
	Accounts   = topology.NewTopic("contas", codec.String, codec.JSON[fleet.Account]())
	Speeds     = topology.NewTopic("velocidade-media", windowed, codec.JSON[fleet.Speed]())
	Motions    = topology.NewTopic("velocidade-por-posicoes", windowed, codec.JSON[fleet.PositionSpeed]())
	Deviations = topology.NewTopic("desvios-de-rota", codec.String, codec.JSON[fleet.Deviation]())
	Delays     = topology.NewTopic("atrasos", codec.String, codec.JSON[fleet.Arrival]())
	Progress   = topology.NewTopic("progresso", codec.String, codec.JSON[fleet.Progress]())
	Visits     = topology.NewTopic("paradas", codec.String, codec.JSON[fleet.Visit]())
	Legs       = topology.NewTopic("trechos", codec.String, codec.JSON[fleet.Leg]())
	Unused     = topology.NewTopic("posicoes-sem-uso", codec.String, codec.JSON[fleet.Unused]())
)

// resultTopics are the topics that the topology writes.
func resultTopics() []string {
	return []string{
		Accounts.Name(), Speeds.Name(), Motions.Name(), Deviations.Name(), Delays.Name(), Progress.Name(),
		Visits.Name(), Legs.Name(), Unused.Name(), invalid,
	}
}

// invalid is the topic of dead letters: what comes to localizacao-veiculos and is no position.
const invalid = "localizacao-veiculos-invalidas"

// windowed is the codec of a vehicle and a window of its speed.
var windowed = codec.Windowed(codec.String).Size(fleet.MotionWindow)

// What it remembers.
var (
	sentFixes   = state.NewKeyValue("posicoes-vistas", codec.String, codec.JSON[fleet.Repeats]()).Immutable()
	latestFixes = state.NewKeyValue("posicoes-atuais", codec.String, codec.JSON[fleet.Fix]()).Immutable()
	recentFixes = state.NewWindow("posicoes-recentes", codec.String, codec.JSON[fleet.Fix](), fleet.MotionWindow, grace+3*fleet.MotionWindow).Immutable()
	handovers   = state.NewKeyValue("percurso-atual", codec.String, codec.JSON[fleet.Handover]()).Immutable()
	runs        = state.NewKeyValue("percursos", codec.String, codec.JSON[fleet.Tracker]()).Immutable()
	calls       = state.NewKeyValue("paradas-do-percurso", codec.String, codec.JSON[fleet.VisitTracker]()).Immutable()
)

const (
	grace   = 2 * time.Hour  // a parked vehicle's fix may be an hour old when it is first sent
	runEnds = 24 * time.Hour // without a fix, after which a run is forgotten
)

// FleetTracking makes speeds, deviations, delays, progress, visits of stops and legs of positions.
func FleetTracking() (*topology.Topology, error) {
	b := topology.NewBuilder("fleet-tracking")

	positions := topology.From(b, Positions)
	rows := topology.Process(positions, "triagem", judge, sentFixes)
	topology.Aggregate(rows, "contas", fleet.Account.Add).To(Accounts)
	fixes := topology.Map(rows.Filter(fleet.Row.IsFix), fleet.Row.Position)

	fiveMinutes := topology.Tumbling(fleet.MotionWindow).Grace(grace)
	reported := topology.Window(fixes.Filter(fleet.Position.HasSpeed), fiveMinutes)
	topology.Aggregate(reported, "velocidade-5m", fleet.Speed.Add).To(Speeds)
	measured := topology.Window(topology.Process(fixes, "movimento", measure, latestFixes, recentFixes), fiveMinutes)
	topology.Aggregate(measured, "movimento-5m", fleet.PositionSpeed.Add).To(Motions)

	trips := topology.TableFrom(b, Trips)
	ofRuns := topology.Process(fixes, "passagem", handOver, handovers)
	byTrip := topology.KeyBy(ofRuns, "por-viagem", fleet.RunFix.TripFamily)
	planned := topology.LeftJoin(byTrip, trips, func(fix fleet.RunFix, known fleet.Timetable, _ bool) fleet.Planned { return fix.On(known) })

	seen := topology.ProcessKV(planned.Filter(fleet.Planned.Own).Filter(fleet.Planned.Known), "acompanhamento", follow, runs)
	topology.FlatMap(seen, fleet.Observation.Deviations).To(Deviations)
	topology.FlatMap(seen, fleet.Observation.Delays).To(Delays)
	topology.FlatMap(seen, fleet.Observation.Advances).To(Progress)

	called := topology.ProcessKV(planned, "paradas", visit, calls)
	topology.FlatMap(called, fleet.Stops.AtStops).To(Visits)
	topology.FlatMap(called, fleet.Stops.Between).To(Legs)
	topology.FlatMap(called, fleet.Stops.Advances).To(Progress) // of trips without a shape
	topology.FlatMap(called, fleet.Stops.Unuseds).To(Unused)
	topology.Map(fixes.Filter(fleet.Position.OffTrip), fleet.Position.WithoutTrip).To(Unused)

	return b.Build()
}

// judge says of each row whether it is a fix that comes for the first time, or else why it is left out.
func judge(c *processor.Context[string, fleet.Row]) processor.Handler[string, fleet.Position] {
	sent := sentFixes.In(c)
	return func(r processor.Record[string, fleet.Position]) error {
		if r.Tombstone {
			return nil
		}
		row := fleet.Row{Sent: r.Value}
		row.Sent.Vehicle = r.Key // empty without a key: a vehicle that is spread over all partitions cannot be followed
		if row.LeftOut = row.Sent.Fault(); row.IsFix() {
			before, _, err := sent.Get(row.Sent.Vehicle)
			if err != nil {
				return err
			}
			after, isNew := before.Add(row.Sent)
			if !isNew {
				row.LeftOut = fleet.Repeat
			} else if err := sent.Put(row.Sent.Vehicle, after, r.Timestamp); err != nil {
				return err
			}
		}
		return c.Emit(r.Key, row)
	}
}

// measure emits what each fix adds to the motion of its vehicle. It keeps fixes for as long as one that comes late can change a
// window that is open.
func measure(c *processor.Context[string, fleet.Motion]) processor.Handler[string, fleet.Position] {
	latest, recent := latestFixes.In(c), recentFixes.In(c)
	return func(r processor.Record[string, fleet.Position]) error {
		fix := r.Value.Fix()
		var before, after *fleet.Fix
		last, known, err := latest.Get(r.Key)
		if err != nil {
			return err
		}
		if late := known && fix.Instant < last.Instant; late {
			if before, after, err = neighbours(recent, r.Key, fix.Instant); err != nil {
				return err
			}
		} else {
			if known {
				before = &last
			}
			if err := latest.Put(r.Key, fix, r.Timestamp); err != nil {
				return err
			}
		}
		if err := recent.Put(codec.WindowKey[string]{Key: r.Key, Start: fix.Instant.Time()}, fix, r.Timestamp); err != nil {
			return err
		}
		for _, share := range fleet.Shares(before, fix, after) {
			err := c.Forward(processor.Record[string, fleet.Motion]{Key: r.Key, Value: share.Motion, Timestamp: int64(share.At)})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// neighbours returns the fixes of a vehicle before and after an instant, nil where there is none that can make a pair.
func neighbours(recent *state.Window[string, fleet.Fix], vehicle string, at fleet.Instant) (before, after *fleet.Fix, err error) {
	from, to := at.Time().Add(-fleet.LongestPair), at.Time().Add(fleet.LongestPair)
	for row, err := range recent.Fetch(vehicle, from, to) {
		if err != nil {
			return nil, nil, err
		}
		if fix := row.Value; fix.Instant < at {
			before = &fix
		} else {
			return before, &fix, nil
		}
	}
	return before, nil, nil
}

// handOver tells each run of the fixes of its vehicle, and of those right before and after it.
func handOver(c *processor.Context[string, fleet.RunFix]) processor.Handler[string, fleet.Position] {
	vehicles := handovers.In(c)
	return func(r processor.Record[string, fleet.Position]) error {
		before, _, err := vehicles.Get(r.Value.Vehicle)
		if err != nil {
			return err
		}
		after, fixes := before.Add(r.Value)
		if err := vehicles.Put(r.Value.Vehicle, after, r.Timestamp); err != nil {
			return err
		}
		for _, fix := range fixes {
			if err := c.Emit(r.Key, fix); err != nil {
				return err
			}
		}
		return nil
	}
}

// follow keeps a tracker for each run and tells what every fix shows, by vehicle.
func follow(c *processor.Context[string, fleet.Observation]) processor.Handler[string, fleet.Planned] {
	return track(c, runs.In(c), fleet.Tracker.Add)
}

// visit keeps a tracker of its stops for each run and tells what every fix shows of them, by vehicle.
func visit(c *processor.Context[string, fleet.Stops]) processor.Handler[string, fleet.Planned] {
	planned := track(c, calls.In(c), fleet.VisitTracker.Add)
	return func(r processor.Record[string, fleet.Planned]) error {
		if !r.Value.Known() {
			return c.Emit(r.Value.Vehicle, r.Value.Unplanned())
		}
		return planned(r)
	}
}

// tracker is what is kept of a run.
type tracker interface{ LastFix() fleet.Instant }

// track adds each fix to the tracker of its run, and tells what add tells. It forgets runs that have ended.
func track[T tracker, Told any](
	c *processor.Context[string, Told], trackers *state.KeyValue[string, T], add func(T, fleet.Planned) (T, Told, error),
) processor.Handler[string, fleet.Planned] {
	c.Schedule(time.Hour, processor.StreamTime, func(now time.Time) error {
		return forget(trackers, fleet.InstantOf(now.Add(-runEnds)))
	})
	return func(r processor.Record[string, fleet.Planned]) error {
		run := r.Value.Key()
		before, _, err := trackers.Get(run)
		if err != nil {
			return err
		}
		after, told, err := add(before, r.Value)
		if err != nil {
			return err
		}
		if err := trackers.Put(run, after, r.Timestamp); err != nil {
			return err
		}
		return c.Emit(r.Value.Vehicle, told)
	}
}

// forget removes the runs that have had no fix since.
func forget[T tracker](trackers *state.KeyValue[string, T], since fleet.Instant) error {
	for row, err := range trackers.All() {
		if err != nil {
			return err
		}
		if row.Value.LastFix() >= since {
			continue
		}
		if err := trackers.Delete(row.Key, int64(since)); err != nil {
			return err
		}
	}
	return nil
}
