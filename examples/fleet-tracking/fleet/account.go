package fleet

import (
	"fmt"
	"maps"
	"time"
)

// Reason says why a row of positions is left out of all results. It is empty for a fix.
type Reason string

// The reasons, in the order in which they are tried: the first that applies counts.
const (
	Unreadable      Reason = "unreadable" // no position can be decoded from it
	NoTime          Reason = "no_time"
	NoVehicle       Reason = "no_vehicle"
	NoPosition      Reason = "no_position"
	ZeroPosition    Reason = "zero_position" // latitude and longitude are 0: the GPS had dropped out
	OutsideTheGlobe Reason = "outside_the_globe"
	ClockAhead      Reason = "clock_ahead"  // taken more than 5 minutes after its arrival
	ClockBehind     Reason = "clock_behind" // taken more than 7 days before its arrival
	Repeat          Reason = "repeat"       // of a fix with the same vehicle and event time
)

// Reasons are all reasons in their order.
var Reasons = []Reason{
	Unreadable, NoTime, NoVehicle, NoPosition, ZeroPosition, OutsideTheGlobe, ClockAhead, ClockBehind, Repeat,
}

// How far the clock of a vehicle may be from the time of arrival.
const (
	MaxAhead  = 5 * time.Minute // a window: a clock that is ahead cannot close more than one
	MaxBehind = 7 * 24 * time.Hour
)

// Fault returns why the position is no fix, as far as the position alone can tell: everything but Unreadable and Repeat. A
// position without a time of arrival has no clock that is wrong.
func (p Position) Fault() Reason {
	switch {
	case p.Instant <= 0:
		return NoTime
	case p.Vehicle == "":
		return NoVehicle
	case p.Lat == nil || p.Lon == nil:
		return NoPosition
	case *p.Lat == 0 && *p.Lon == 0:
		return ZeroPosition
	case !(*p.Lat >= -90 && *p.Lat <= 90 && *p.Lon >= -180 && *p.Lon <= 180):
		return OutsideTheGlobe
	case p.Arrival == 0:
		return ""
	case p.Instant.Since(p.Arrival) > MaxAhead.Seconds():
		return ClockAhead
	case p.Arrival.Since(p.Instant) > MaxBehind.Seconds():
		return ClockBehind
	}
	return ""
}

// Row is a position and why it is left out, if it is.
type Row struct {
	Sent    Position
	LeftOut Reason
	Late    bool // a fix whose window had closed: it counts for everything but the speed from positions
}

// IsFix reports whether the row counts.
func (r Row) IsFix() bool { return r.LeftOut == "" }

// Position returns what the vehicle sent.
func (r Row) Position() Position { return r.Sent }

// Account counts the rows of a vehicle: Rows is the sum of Fixes and all LeftOut. The zero value has seen none. Late are the fixes that
// came after their window had closed, and so count for no speed from positions. Undated are the rows without a time of arrival, whose clocks nobody can
// check.
type Account struct {
	Rows    int64            `json:"linhas"` // all that came, as far as they are JSON
	Fixes   int64            `json:"posicoes"`
	LeftOut map[Reason]int64 `json:"descartadas,omitempty"` // rows by reason
	Late    int64            `json:"tardias,omitempty"`     // of them, those whose window had closed
	Undated int64            `json:"semChegada,omitempty"`  // rows without a time of arrival
}

// Add returns the account with one more row. It leaves a as it was.
func (a Account) Add(r Row) Account {
	a.Rows++
	if r.Sent.Arrival == 0 {
		a.Undated++
	}
	if r.IsFix() {
		a.Fixes++
		if r.Late {
			a.Late++
		}
		return a
	}
	return a.leaveOut(r.LeftOut, 1)
}

// Plus returns the sum of two accounts.
func (a Account) Plus(b Account) Account {
	a.Rows += b.Rows
	a.Fixes += b.Fixes
	a.Late += b.Late
	a.Undated += b.Undated
	for reason, n := range b.LeftOut {
		a = a.leaveOut(reason, n)
	}
	return a
}

// String returns the account in one sentence, such as "7 of 10 rows are fixes, 1 of them after their window had closed; left
// out: 2 no_position, 1 repeat".
func (a Account) String() string {
	text := fmt.Sprintf("%d of %d rows are fixes", a.Fixes, a.Rows)
	if a.Late > 0 {
		text += fmt.Sprintf(", %d of them after their window had closed", a.Late)
	}
	separator := "; left out: "
	for _, reason := range Reasons {
		if n := a.LeftOut[reason]; n > 0 {
			text += fmt.Sprintf("%s%d %s", separator, n, reason)
			separator = ", "
		}
	}
	return text
}

func (a Account) leaveOut(reason Reason, n int64) Account {
	a.LeftOut = maps.Clone(a.LeftOut)
	if a.LeftOut == nil {
		a.LeftOut = map[Reason]int64{}
	}
	a.LeftOut[reason] += n
	return a
}
