package fleet

// Detour is a way that a run drove outside the corridor of its line. It is the value of topic saidas-do-corredor, keyed by vehicle.
// First tells the detours of a run apart; the latest value of each is the whole of it.
//
// It begins with the first of two or more consecutive fixes beyond the corridor, at least 30 s apart, and ends with the first fix
// nearer to the line than 0.8 of the corridor. What happens before the first departure, after the last arrival, or within 200 m of
// a depot or fuel station does not count; nor does, on a trip without planned times, being at one of its stops. This is not the
// Episode of a Deviation, which knows only the fixes off the route.
type Detour struct {
	Run
	Path  string     `json:"trajeto,omitempty"` // of the trip, as in topic trajetos
	First Instant    `json:"inicio"`            // of the fixes beyond the corridor
	Last  Instant    `json:"fim"`               // of the fixes beyond the corridor, so far
	Fixes int        `json:"posicoes"`          // beyond the corridor
	Max   float64    `json:"maxima"`            // metres from the line
	Left  LinePlace  `json:"saida"`             // the last fix inside the corridor
	Back  *LinePlace `json:"volta,omitempty"`   // the first fix inside again, absent while the vehicle is outside

	// Driven is the way from Left to Back, in metres from fix to fix, and Extra is that without the part of the line between
	// them, not below 0. Both are absent while the vehicle is outside, and where a pair of fixes on the way is not clean.
	Driven *float64 `json:"metros,omitempty"`
	Extra  *float64 `json:"metrosAMais,omitempty"`
}

// LinePlace is a fix and where along the line, in metres, it lies.
type LinePlace struct {
	At    Instant `json:"instante"`
	Along float64 `json:"percorrido"` // metres from the start of the line
}

// Skipped is the stretch of the line that the vehicle did not drive, in metres from the start of the line; false while the vehicle is
// outside, and where it came back no farther along.
func (d Detour) Skipped() (from, to float64, ok bool) {
	if d.Back == nil {
		return 0, 0, false
	}
	return d.Left.Along, d.Back.Along, d.Back.Along > d.Left.Along
}
