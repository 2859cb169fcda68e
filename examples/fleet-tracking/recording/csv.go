package recording

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// table reads a CSV file. Columns are found by their name, in any order. Needed are vehicle_id, vehicle_timestamp, lat and lon;
// of the others those of the list columns are used. A row ends with its line, even within quotes, so that one torn row spoils no
// other.
type table struct {
	*lines
	width   int // fields of a row
	columns []located
}

type located struct {
	column
	index int
}

// newTable reads the header line.
func newTable(l *lines, o Options) (*table, error) {
	r := &table{lines: l}
	text, err := r.next()
	if err == io.EOF {
		return nil, fmt.Errorf("recording: %s is empty: a header line is needed", r.name)
	}
	if err != nil {
		return nil, err
	}
	header, err := fields(strings.TrimPrefix(text, "\ufeff"))
	if err != nil {
		return nil, fmt.Errorf("recording: %s line %d: %w", r.name, r.line, err)
	}
	r.width = len(header)
	index := map[string]int{}
	for i, h := range header {
		header[i] = strings.TrimSpace(h)
		index[header[i]] = i
	}
	found := map[string]bool{}
	mapped, err := columnsOf(o)
	if err != nil {
		return nil, err
	}
	for _, c := range mapped {
		if i, ok := index[c.name]; ok && !found[c.field] {
			found[c.field] = true
			r.columns = append(r.columns, located{c, i})
		}
	}
	var missing []string
	for _, needed := range []string{"vehicle_id", "vehicle_timestamp", "lat", "lon"} {
		if !found[needed] {
			missing = append(missing, needed)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("recording: %s has no column %s; it has %s",
			r.name, strings.Join(missing, ", "), strings.Join(header, ", "))
	}
	return r, nil
}

// Next implements Source.
func (r *table) Next() (Row, error) { return r.row(r.position) }

func (r *table) position(text string) (fleet.Position, error) {
	record, err := fields(text)
	if err != nil {
		return fleet.Position{}, err
	}
	if len(record) != r.width {
		return fleet.Position{}, fmt.Errorf("%d fields, but the header has %d", len(record), r.width)
	}
	var p fleet.Position
	for _, c := range r.columns {
		value := strings.TrimSpace(record[c.index])
		if err := c.set(&p, value); err != nil {
			return fleet.Position{}, fmt.Errorf("column %s: %q is not %w", c.name, value, err)
		}
	}
	return p, nil
}

// fields splits a line into its fields.
func fields(text string) ([]string, error) {
	if !strings.Contains(text, `"`) {
		return strings.Split(text, ","), nil
	}
	record, err := csv.NewReader(strings.NewReader(text)).Read()
	if e, ok := err.(*csv.ParseError); ok {
		err = e.Err // its line is that of the text
	}
	return record, err
}
