package customers

import "github.com/rio-streams/rio/examples/fleet-tracking/fleet"

// Signal is when a vehicle was last heard of, and on which round. The zero value knows no vehicle.
type Signal struct {
	Last   fleet.Instant `json:"instante"`
	Silent bool          `json:"semSinal,omitempty"` // it had sent nothing for 10 minutes
	Round  string        `json:"percurso"`           // the latest, as runKey names it
}

// Hear takes in a fix. It returns what there is to tell of the deliveries ahead of a round: that there was no signal, if nothing has told
// so yet, and that there is one again.
func (s Signal) Hear(at fleet.Instant, on Round) (_ Signal, silent, heard []Event) {
	if at <= s.Last {
		return s, nil, nil
	}
	s, silent = s.Until(at, on)
	if s.Silent {
		heard = on.HeardAgain(at)
	}
	s.Last, s.Silent = at, false
	return s, silent, heard
}

// Until takes in that time has passed.
func (s Signal) Until(now fleet.Instant, on Round) (Signal, []Event) {
	if s.Silent || s.Last == 0 || now.Since(s.Last) < silentFor {
		return s, nil
	}
	s.Silent = true
	return s, on.Silent(s.Last)
}
