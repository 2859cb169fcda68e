package fleet

// Scheduled is a fix and the schedule of the trip it belongs to; Schedule is nil when the timetable does not know the trip.
type Scheduled struct {
	RunFix
	Schedule *Schedule `json:"planejada,omitempty"`
	Fault    Reason    `json:"falta,omitempty"` // why the trip is not known
}

// On looks up the trip of the run. A vehicle that does not say which service day it drives gets the likeliest; one that says
// something else than a day is on no known trip. Nor is one on a trip that runs several times a day, if it does not say when
// it started.
func (f RunFix) On(timetable Timetable) Scheduled {
	schedule := timetable.schedule(f.Trip, f.Day)
	if schedule == nil {
		return Scheduled{RunFix: f, Fault: UnknownTrip}
	}
	shift, err := schedule.calendar().shift(f.Start)
	if err != nil {
		return Scheduled{RunFix: f, Fault: UnknownTrip}
	}
	if f.Day == "" {
		f.Day, _ = schedule.calendar().dayAt(f.Instant - shift)
		if schedule = timetable.schedule(f.Trip, f.Day); schedule == nil {
			return Scheduled{RunFix: f, Fault: UnknownTrip}
		}
	}
	if _, err := schedule.calendar().dayStart(f.Day); err != nil {
		return Scheduled{RunFix: f, Fault: BadDay}
	}
	return Scheduled{RunFix: f, Schedule: schedule}
}

// PathKey is the key under which topic trajetos has the path of the trip; for a trip that is not known, its family.
func (s Scheduled) PathKey() string {
	if s.Schedule == nil {
		return s.TripFamily()
	}
	return s.Schedule.Path
}

// Along returns the fix with the whole trip, given its path. A trip whose path is not known is not known.
func (s Scheduled) Along(path Path, known bool) Planned {
	p := Planned{Position: s.Position, Before: s.Before, Ends: s.Ends, Fault: s.Fault}
	switch {
	case s.Schedule == nil:
	case !known || len(path.Stops) != len(s.Schedule.Times):
		p.Fault = UnknownTrip
	default:
		p.Trip = s.Schedule.trip(path)
	}
	return p
}

// Planned is a fix and the trip it belongs to; Trip is nil when the timetable does not know it. Before and Ends are those of RunFix.
type Planned struct {
	Position
	Trip   *Trip
	Before *Position
	Ends   bool
	Fault  Reason // why the trip is not known
}

// Known reports whether the timetable knows the trip.
func (p Planned) Known() bool { return p.Trip != nil }

// Own reports whether the vehicle took the fix on the run, not after it.
func (p Planned) Own() bool { return !p.Ends }

// Origin is the moment from which the times of the run count: the start of its service day, later by the time at which a
// trip of frequencies.txt started. It fails if the service day is not one.
func (p Planned) Origin() (Instant, error) {
	calendar := p.Trip.calendar()
	dayStart, err := calendar.dayStart(p.Day)
	if err != nil {
		return 0, err
	}
	shift, err := calendar.shift(p.Start)
	return dayStart + shift, err
}

// Named names the run.
func (p Planned) Named() Run {
	run := Run{Vehicle: p.Vehicle, Route: p.Trip.Route, Trip: p.Position.Trip, Day: p.Day}
	if p.Trip.Frequency != "" {
		run.Start = p.Start
	}
	return run
}

// Key is the name of the run as a key of a store.
func (p Planned) Key() string { return p.Named().Key() }
