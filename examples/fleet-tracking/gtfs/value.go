package gtfs

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Each parser's error says what the value should have been.
var (
	errLatitude  = errors.New("a latitude from -90 to 90")
	errLongitude = errors.New("a longitude from -180 to 180")
	errSequence  = errors.New("a number from 0 upwards")
	errDistance  = errors.New("a distance from 0 upwards")
	errTime      = errors.New("a time H:MM:SS")
	errDay       = errors.New("a day YYYYMMDD")
)

func latitude(s string) (float64, error)  { return within(s, -90, 90, errLatitude) }
func longitude(s string) (float64, error) { return within(s, -180, 180, errLongitude) }
func distance(s string) (float64, error)  { return within(s, 0, math.MaxFloat64, errDistance) }

func within(s string, from, to float64, otherwise error) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= from && x <= to) {
		return 0, otherwise
	}
	return x, nil
}

func sequence(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, errSequence
	}
	return n, nil
}

// seconds parses a time of the service day. It may be beyond 24:00:00.
func seconds(s string) (int, error) {
	total := 0
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, errTime
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || i > 0 && (n > 59 || len(part) != 2) {
			return 0, errTime
		}
		total = total*60 + int(n)
	}
	return total, nil
}

func serviceDay(s string) (string, error) {
	if _, err := time.Parse("20060102", s); err != nil {
		return "", errDay
	}
	return s, nil
}
