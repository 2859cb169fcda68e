package fleet

// The reasons for which a fix tells nothing of the stops of a run. It may still count for speeds, and for the deviation.
const (
	NoTrip           Reason = "no_trip"               // the vehicle is on no trip
	UnknownTrip      Reason = "unknown_trip"          // the timetable has no such trip, or the vehicle does not say which run of it
	BadDay           Reason = "bad_day"               // the service day is none
	NoLine           Reason = "no_shape_and_no_stops" // the trip has neither
	Overtaken        Reason = "overtaken"             // a newer fix of the run came before it
	SwappedSuspected Reason = "swapped_suspected"     // more than 100 km from the line, but near it with latitude and longitude swapped
	OffLine          Reason = "off_route"             // more than 60 m from the line
	ImplausiblePlace Reason = "implausible_place"     // near the line only where the vehicle cannot be yet
)

// UnusedReasons are all of them.
var UnusedReasons = []Reason{
	NoTrip, UnknownTrip, BadDay, NoLine, Overtaken, SwappedSuspected, OffLine, ImplausiblePlace,
}

// Unused is a fix that tells nothing of the stops of a run. It is the value of topic posicoes-sem-uso, keyed by vehicle.
type Unused struct {
	Seq     int64   `json:"seq,omitempty"`
	Vehicle string  `json:"veiculo"`
	Trip    string  `json:"viagem,omitempty"`
	Day     string  `json:"data,omitempty"`
	Instant Instant `json:"instante"`
	Reason  Reason  `json:"motivo"` // why it tells nothing
}

// OffTrip reports whether the vehicle is on no trip.
func (p Position) OffTrip() bool { return !p.OnTrip() }

// WithoutTrip is the fix as unused because the vehicle is on no trip.
func (p Position) WithoutTrip() Unused { return p.unused(NoTrip) }

func (p Position) unused(reason Reason) Unused {
	return Unused{Seq: p.Seq, Vehicle: p.Vehicle, Trip: p.Trip, Day: p.Day, Instant: p.Instant, Reason: reason}
}

const (
	farAway   = 100_000.0 // metres from the line at which latitude and longitude may be swapped
	nearAgain = 5_000.0   // metres from the line if they are
)

// misplaced says why a fix has no place on a line, given the places where the line passes it.
func misplaced(line Shape, fix Position, near []foot) Reason {
	switch p := fix.Point(); {
	case len(line) == 0:
		return NoLine
	case len(near) > 0:
		return ImplausiblePlace
	case Haversine(p, line[0].Point()) > farAway:
		p[0], p[1] = p[1], p[0]
		if swapped, ok := line.Deviation(p); ok && swapped <= nearAgain {
			return SwappedSuspected
		}
	}
	return OffLine
}
