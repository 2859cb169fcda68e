package fleet

import (
	"math"
	"strconv"
)

// Length is a distance in micrometres. Sums of whole numbers do not depend on the order of their terms, and a term that is
// subtracted again leaves nothing behind. In JSON a Length is a number of metres.
type Length int64

// Metres returns x metres as a Length, rounded to the micrometre.
func Metres(x float64) Length { return Length(math.Round(x * 1e6)) }

// Metres returns the length in metres.
func (l Length) Metres() float64 { return float64(l) / 1e6 }

// MarshalJSON writes the length in metres.
func (l Length) MarshalJSON() ([]byte, error) { return appendNumber(nil, l.Metres()), nil }

// UnmarshalJSON reads a number of metres.
func (l *Length) UnmarshalJSON(data []byte) error {
	metres, err := strconv.ParseFloat(string(data), 64)
	*l = Metres(metres)
	return err
}

// Span is a time span in milliseconds, the resolution of an Instant. In JSON it is a number of seconds.
type Span int64

// Seconds returns the span in seconds.
func (s Span) Seconds() float64 { return float64(s) / 1000 }

// MarshalJSON writes the span in seconds.
func (s Span) MarshalJSON() ([]byte, error) { return appendNumber(nil, s.Seconds()), nil }

// UnmarshalJSON reads a number of seconds.
func (s *Span) UnmarshalJSON(data []byte) error {
	seconds, err := strconv.ParseFloat(string(data), 64)
	*s = Span(math.Round(seconds * 1000))
	return err
}

func appendNumber(b []byte, x float64) []byte { return strconv.AppendFloat(b, x, 'f', -1, 64) }
