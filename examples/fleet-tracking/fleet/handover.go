package fleet

// RunFix is a fix as the run it belongs to gets it: with the vehicle's fix before, when the run begins; and once more, as the end of the
// run before, when the vehicle is on another run or none.
type RunFix struct {
	Position
	Before *Position `json:"antes,omitempty"`
	Ends   bool      `json:"encerra,omitempty"` // another run's fix, or none's, right after this run
}

// Handover notes which run a vehicle is on. The zero value has seen nothing.
type Handover struct {
	Latest *Position `json:"ultima"`
}

// Add takes in a fix and returns it for each run that needs it: its own and, if the vehicle changes runs, the one before. A fix that is not
// newer than the latest goes to its own run only.
func (h Handover) Add(fix Position) (Handover, []RunFix) {
	var runs []RunFix
	own := RunFix{Position: fix}
	before := h.Latest
	late := before != nil && fix.Instant <= before.Instant
	if late || before == nil {
		if fix.OnTrip() {
			runs = append(runs, own)
		}
		if !late {
			h.Latest = &fix
		}
		return h, runs
	}
	changes := before.Trip != fix.Trip || before.Day != fix.Day || before.Start != fix.Start
	near := fix.Instant.Since(before.Instant) <= bracket
	if fix.OnTrip() {
		if changes && near {
			own.Before = &Position{
				Vehicle: fix.Vehicle, Instant: before.Instant, Lat: before.Lat, Lon: before.Lon, Speed: before.Speed,
			}
		}
		runs = append(runs, own)
	}
	if before.OnTrip() && changes && near {
		end := fix
		end.Route, end.Trip, end.Day, end.Start = before.Route, before.Trip, before.Day, before.Start
		runs = append(runs, RunFix{Position: end, Ends: true})
	}
	h.Latest = &fix
	return h, runs
}
