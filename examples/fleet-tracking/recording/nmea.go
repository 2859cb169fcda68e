package recording

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// nmea reads what a GPS receiver says (NMEA 0183): of its sentences RMC, the only one with date, time, place and speed. Fields:
//
//	$GPRMC,hhmmss.sss,A,ddmm.mmmm,N,dddmm.mmmm,W,knots,course,ddmmyy,…*checksum
type nmea struct {
	*lines
	vehicle string
}

func newNMEA(name string, file io.Reader, o Options) (Source, error) {
	if o.Vehicle == "" {
		return nil, fmt.Errorf("recording: %s: NMEA says nothing of the vehicle: name it", name)
	}
	return &nmea{newLines(name, file), o.Vehicle}, nil
}

// Next implements Source.
func (r *nmea) Next() (Row, error) {
	for {
		other := false
		row, err := r.row(func(text string) (fleet.Position, error) {
			sentence, err := checked(text)
			if err != nil {
				return fleet.Position{}, err
			}
			fields := strings.Split(sentence, ",")
			if other = !strings.HasSuffix(fields[0], "RMC"); other {
				return fleet.Position{}, nil
			}
			return r.position(fields)
		})
		if !other {
			return row, err
		}
		r.count--
	}
}

// checked returns a sentence without its $ and checksum: the exclusive or of all bytes between the two.
func checked(text string) (string, error) {
	sentence, sum, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "$"), "*")
	if !ok {
		return "", errors.New("a sentence of NMEA 0183 ends in * and a checksum")
	}
	var computed byte
	for i := range len(sentence) {
		computed ^= sentence[i]
	}
	if given, err := strconv.ParseUint(sum, 16, 8); err != nil || byte(given) != computed {
		return "", fmt.Errorf("checksum %s, but the sentence has %02X", sum, computed)
	}
	return sentence, nil
}

const knot = 1852.0 / 3600 // m/s

func (r *nmea) position(f []string) (fleet.Position, error) {
	if len(f) < 10 {
		return fleet.Position{}, fmt.Errorf("RMC has %d fields, want at least 10", len(f))
	}
	p := fleet.Position{Vehicle: r.vehicle}
	at, err := time.Parse("020106 150405", f[9]+" "+f[1]) // fractions of a second are accepted
	if err != nil {
		return p, fmt.Errorf("date %q and time %q are not ddmmyy and hhmmss", f[9], f[1])
	}
	p.Instant = fleet.InstantOf(at)
	if f[2] != "A" { // V: the receiver has no fix
		return p, nil
	}
	if p.Lat, err = angle(f[3], f[4], 2, "N", "S"); err != nil {
		return p, fmt.Errorf("latitude %w", err)
	}
	if p.Lon, err = angle(f[5], f[6], 3, "E", "W"); err != nil {
		return p, fmt.Errorf("longitude %w", err)
	}
	if knots, ok := finite(f[7]); ok {
		p.Speed = new(knots * knot)
	}
	if course, ok := finite(f[8]); ok {
		p.Bearing = &course
	}
	return p, nil
}

// angle parses degrees, of so many digits, and minutes.
func angle(value, side string, digits int, positive, negative string) (*float64, error) {
	wrong := fmt.Errorf("%q %q is not degrees, minutes and %s or %s", value, side, positive, negative)
	if len(value) < digits {
		return nil, wrong
	}
	degrees, err := strconv.Atoi(value[:digits])
	minutes, ok := finite(value[digits:])
	if err != nil || !ok || minutes < 0 || minutes >= 60 || side != positive && side != negative {
		return nil, wrong
	}
	x := float64(degrees) + minutes/60
	if side == negative {
		x = -x
	}
	return &x, nil
}
