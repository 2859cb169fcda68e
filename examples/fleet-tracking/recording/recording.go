// Package recording reads positions that were recorded as a CSV file.
//
// Columns are found by their name, in any order. Needed are vehicle_id, vehicle_timestamp, lat and lon; what else is there of
// the columns in the table below is used, other columns are passed over. A row is a fleet.Position, in the order of the file.
package recording

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Reader reads the rows of a recording one by one.
type Reader struct {
	name    string
	rows    *csv.Reader
	columns []located
	count   int64
}

type located struct {
	column
	index int
}

// NewReader reads the header line. The name of the file is for errors only.
func NewReader(name string, file io.Reader) (*Reader, error) {
	r := &Reader{name: name, rows: csv.NewReader(file)}
	r.rows.ReuseRecord = true
	header, err := r.rows.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("recording: %s is empty: a header line is needed", name)
	}
	if err != nil {
		return nil, fmt.Errorf("recording: %s: %w", name, err)
	}
	index := map[string]int{}
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		index[names[i]] = i
	}
	fields := map[string]bool{}
	for _, c := range columns {
		if i, ok := index[c.name]; ok && !fields[c.field] {
			fields[c.field] = true
			r.columns = append(r.columns, located{c, i})
		}
	}
	var missing []string
	for _, needed := range []string{"vehicle_id", "vehicle_timestamp", "lat", "lon"} {
		if !fields[needed] {
			missing = append(missing, needed)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("recording: %s has no column %s; it has %s",
			name, strings.Join(missing, ", "), strings.Join(names, ", "))
	}
	return r, nil
}

// Next is the next row; io.EOF after the last. Without a seq column rows are numbered from 1; without a time of arrival a row
// is taken to arrive when it was sent.
func (r *Reader) Next() (fleet.Position, error) {
	record, err := r.rows.Read()
	if err == io.EOF {
		return fleet.Position{}, io.EOF
	}
	if err != nil {
		return fleet.Position{}, fmt.Errorf("recording: %s: %w", r.name, err)
	}
	r.count++
	p := fleet.Position{Seq: r.count}
	for _, c := range r.columns {
		value := strings.TrimSpace(record[c.index])
		if err := c.set(&p, value); err != nil {
			line, _ := r.rows.FieldPos(c.index)
			return fleet.Position{}, fmt.Errorf("recording: %s line %d: column %s: %q is not %w", r.name, line, c.name, value, err)
		}
	}
	if p.Vehicle == "" || p.Instant <= 0 {
		line, _ := r.rows.FieldPos(0)
		return fleet.Position{}, fmt.Errorf("recording: %s line %d: a row needs a vehicle_id and a vehicle_timestamp", r.name, line)
	}
	if p.Arrival == 0 {
		p.Arrival = p.Instant
	}
	return p, nil
}

// ReadAll reads a whole recording.
func ReadAll(name string, file io.Reader) ([]fleet.Position, error) {
	r, err := NewReader(name, file)
	if err != nil {
		return nil, err
	}
	var positions []fleet.Position
	for {
		p, err := r.Next()
		if err == io.EOF {
			return positions, nil
		}
		if err != nil {
			return nil, err
		}
		positions = append(positions, p)
	}
}
