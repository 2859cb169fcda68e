// Package recording reads positions that were recorded as a CSV file.
//
// Columns are found by their name, in any order. Needed are vehicle_id, vehicle_timestamp, lat and lon; what else is there of
// the columns in the table below is used, other columns are passed over. A row is a fleet.Position, in the order of the file. A
// row ends with its line, even within quotes, so that one torn row spoils no other.
package recording

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Reader reads the rows of a recording one by one.
type Reader struct {
	name    string
	lines   *bufio.Reader
	line    int
	width   int // fields of a row
	columns []located
	count   int64
}

type located struct {
	column
	index int
}

// Row is a row of a recording: a position, or the text of a row that is none and why.
type Row struct {
	fleet.Position
	Text string // of a row that cannot be read
	Err  error  // why it cannot be read: names file, line and column; nil for a position
}

// NewReader reads the header line. The name of the file is for errors only.
func NewReader(name string, file io.Reader) (*Reader, error) {
	r := &Reader{name: name, lines: bufio.NewReader(file)}
	text, err := r.nextLine()
	if err == io.EOF {
		return nil, fmt.Errorf("recording: %s is empty: a header line is needed", name)
	}
	if err != nil {
		return nil, err
	}
	header, err := fields(strings.TrimPrefix(text, "\ufeff"))
	if err != nil {
		return nil, fmt.Errorf("recording: %s line %d: %w", name, r.line, err)
	}
	r.width = len(header)
	index := map[string]int{}
	for i, h := range header {
		header[i] = strings.TrimSpace(h)
		index[header[i]] = i
	}
	found := map[string]bool{}
	for _, c := range columns {
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
			name, strings.Join(missing, ", "), strings.Join(header, ", "))
	}
	return r, nil
}

// Next returns the next row, and io.EOF after the last. A row that cannot be read is no error: its Err says what is wrong with
// it. Without a seq column rows are numbered from 1.
func (r *Reader) Next() (Row, error) {
	text, err := r.nextLine()
	if err != nil {
		return Row{}, err
	}
	r.count++
	p, err := r.position(text)
	if err != nil {
		return Row{Text: text, Err: fmt.Errorf("recording: %s line %d: %w", r.name, r.line, err)}, nil
	}
	return Row{Position: p}, nil
}

func (r *Reader) position(text string) (fleet.Position, error) {
	record, err := fields(text)
	if err != nil {
		return fleet.Position{}, err
	}
	if len(record) != r.width {
		return fleet.Position{}, fmt.Errorf("%d fields, but the header has %d", len(record), r.width)
	}
	p := fleet.Position{Seq: r.count}
	for _, c := range r.columns {
		value := strings.TrimSpace(record[c.index])
		if err := c.set(&p, value); err != nil {
			return fleet.Position{}, fmt.Errorf("column %s: %q is not %w", c.name, value, err)
		}
	}
	return p, nil
}

// nextLine returns the next line that is not blank, without its end.
func (r *Reader) nextLine() (string, error) {
	for {
		text, err := r.lines.ReadString('\n')
		if err != nil && (err != io.EOF || text == "") {
			if err != io.EOF {
				err = fmt.Errorf("recording: %s: %w", r.name, err)
			}
			return "", err
		}
		r.line++
		if text = strings.TrimRight(text, "\r\n"); strings.TrimSpace(text) != "" {
			return text, nil
		}
	}
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

// ReadAll reads a whole recording.
func ReadAll(name string, file io.Reader) ([]Row, error) {
	r, err := NewReader(name, file)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for {
		row, err := r.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}
