// Package report writes what the example computed as CSV files, the same bytes for the same results.
package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// The files, by name. Times are in Unix seconds, distances in metres, speeds in m/s.
const (
	SpeedWindows      = "speed_windows.csv"
	DeviationPoints   = "deviation_points.csv"
	DeviationEpisodes = "deviation_episodes.csv"
	Arrivals          = "arrivals.csv"
	PositionSpeeds    = "speed_from_positions.csv"
	Accounts          = "account.csv"
	Stops             = "stops.csv"
	Legs              = "legs.csv"
	LegsByHour        = "legs_by_hour.csv"
	ETA               = "eta.csv"

	CorrectedStopTimes = "corrected_stop_times.csv"
)

type run struct{ vehicle, trip, day string }

func (r run) compare(other run) int {
	return cmp.Or(cmp.Compare(r.vehicle, other.vehicle), cmp.Compare(r.trip, other.trip), cmp.Compare(r.day, other.day))
}

type windowKey struct {
	vehicle string
	start   fleet.Instant
}

type pointKey struct {
	seq     int64
	vehicle string
	at      fleet.Instant
}

type episodeKey struct {
	run
	first fleet.Instant
}

type arrivalKey struct {
	run
	sequence int
}

// Report gathers the records of the derived topics. The zero value is empty; of records with the same meaning the last counts.
type Report struct {
	windows  map[windowKey]fleet.Speed
	points   map[pointKey]fleet.Deviation
	episodes map[episodeKey]fleet.Episode
	arrivals map[arrivalKey]fleet.Arrival

	motions    map[windowKey]fleet.PositionSpeed
	accounts   map[string]fleet.Account
	unreadable int64

	visits map[callKey]fleet.Visit
	legs   map[callKey]fleet.Leg // by the stop where they begin
	unused map[fixKey]fleet.Reason

	forecasts map[fleet.Run][]fleet.Forecast // without history
	corrected map[string]fleet.CorrectedTrip // by trip
	measured  []eta                          // of forecasts, visits and legs; nil when one of them is new
	days      map[conduct.Sheet]conduct.Day
}

// AddSpeed takes in the average speed of a vehicle in the window that begins at start.
func (r *Report) AddSpeed(vehicle string, start fleet.Instant, speed fleet.Speed) {
	put(&r.windows, windowKey{vehicle, start}, speed)
}

// AddDeviation takes in the deviation of a fix, and the episode it belongs to.
func (r *Report) AddDeviation(d fleet.Deviation) {
	put(&r.points, pointKey{d.Seq, d.Vehicle, d.Instant}, d)
	if d.Episode != nil {
		put(&r.episodes, episodeKey{run{d.Vehicle, d.Trip, d.Day}, d.Episode.First}, *d.Episode)
	}
}

// AddArrival takes in an arrival at a stop.
func (r *Report) AddArrival(a fleet.Arrival) {
	put(&r.arrivals, arrivalKey{run{a.Vehicle, a.Trip, a.Day}, a.Sequence}, a)
}

// Counts are the numbers of speed windows, deviations, episodes and arrivals.
func (r *Report) Counts() (windows, points, episodes, arrivals int) {
	return len(r.motions), len(r.points), len(r.episodes), len(r.arrivals)
}

// Write makes the files in a folder, which it creates if need be.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for name, rows := range map[string][][]string{
		SpeedWindows:      r.windowRows(),
		DeviationPoints:   r.pointRows(),
		DeviationEpisodes: r.episodeRows(),
		Arrivals:          r.arrivalRows(),
		PositionSpeeds:    r.motionRows(),
		Accounts:          r.accountRows(),
		Stops:             r.stopRows(),
		Legs:              r.legRows(),
		LegsByHour:        r.legHourRows(),
		ETA:               etaRows(r.etas()),

		CorrectedStopTimes: r.correctedRows(),
		Drivers:            r.dayRows(),
	} {
		if err := WriteTable(filepath.Join(dir, name), rows); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

func (r *Report) windowRows() [][]string {
	rows := [][]string{{"vehicle_id", "window_start", "count", "sum_speed_mps", "avg_speed_mps", "max_speed_mps"}}
	for _, k := range sorted(r.windows, windowKey.compare) {
		s := r.windows[k]
		rows = append(rows, []string{
			k.vehicle, number(k.start.Unix()), strconv.FormatInt(s.Count, 10), number(s.Sum), number(s.Mean), number(s.Max),
		})
	}
	return rows
}

func (r *Report) pointRows() [][]string {
	rows := [][]string{{"seq", "vehicle_id", "trip_id", "distance_to_shape_m"}}
	bySeq := func(a, b pointKey) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.vehicle, b.vehicle), cmp.Compare(a.at, b.at))
	}
	for _, k := range sorted(r.points, bySeq) {
		d := r.points[k]
		rows = append(rows, []string{strconv.FormatInt(k.seq, 10), d.Vehicle, d.Trip, number(d.Distance)})
	}
	return rows
}

func (r *Report) episodeRows() [][]string {
	rows := [][]string{{"vehicle_id", "trip_id", "trip_start_date", "first_ts", "last_ts", "fixes", "max_m"}}
	byRun := func(a, b episodeKey) int { return cmp.Or(a.compare(b.run), cmp.Compare(a.first, b.first)) }
	for _, k := range sorted(r.episodes, byRun) {
		e := r.episodes[k]
		rows = append(rows, []string{
			k.vehicle, k.trip, k.day, number(e.First.Unix()), number(e.Last.Unix()), strconv.Itoa(e.Fixes), number(e.Max),
		})
	}
	return rows
}

func (r *Report) arrivalRows() [][]string {
	rows := [][]string{{"vehicle_id", "trip_id", "trip_start_date", "stop_sequence", "arrival_ts", "delay_s"}}
	byRun := func(a, b arrivalKey) int { return cmp.Or(a.compare(b.run), cmp.Compare(a.sequence, b.sequence)) }
	for _, k := range sorted(r.arrivals, byRun) {
		a := r.arrivals[k]
		rows = append(rows, []string{
			k.vehicle, k.trip, k.day, strconv.Itoa(k.sequence), number(a.Arrived.Unix()), number(a.Delay),
		})
	}
	return rows
}

// WriteTable writes rows, the header first, as a CSV file.
func WriteTable(path string, rows [][]string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := csv.NewWriter(file).WriteAll(rows); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// number is the shortest decimal that is read back as x.
func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

func sorted[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}
