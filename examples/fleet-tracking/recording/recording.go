// Package recording reads positions that were recorded in a file: CSV, JSON lines, GPX, NMEA 0183 or GTFS-realtime. A row is a
// fleet.Position, in the order of the file.
package recording

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Row is a row of a recording: a position, or the text of a row that is none and why.
type Row struct {
	fleet.Position
	Text string // of a row that cannot be read
	Err  error  // why it cannot be read: names file and line; nil for a position
}

// Source reads the rows of a recording one by one.
type Source interface {
	// Next returns the next row, and io.EOF after the last. A row that cannot be read is no error: its Err says what is wrong
	// with it. Rows without a number of their own are numbered from 1.
	Next() (Row, error)
}

// Options say what a file itself does not.
type Options struct {
	Vehicle string            // id of the vehicle, for files that name none
	Columns map[string]string // of a CSV file: its name for a column, by the name that this package knows
	Zone    *time.Location    // of times that are written without one; default: UTC
}

// formats are the readers of each kind of file, by the ending of its name.
var formats = map[string]func(name string, file io.Reader, o Options) (Source, error){
	".csv": func(name string, file io.Reader, o Options) (Source, error) { return newTable(newLines(name, file), o) },
	".jsonl": func(name string, file io.Reader, o Options) (Source, error) {
		return &jsonLines{newLines(name, file), o}, nil
	},
	".gpx":  newGPX,
	".nmea": newNMEA,
	".pb":   newRealtime,
}

// Open returns the rows of a file in the format that the ending of its name says. The name is otherwise for errors only.
func Open(name string, file io.Reader, o Options) (Source, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	open, ok := formats[strings.ToLower(filepath.Ext(name))]
	if !ok {
		return nil, fmt.Errorf("recording: %s: the name must end in one of %s", name, strings.Join(Endings(), ", "))
	}
	return open(name, file, o)
}

// Endings are the endings of the names of files that can be read.
func Endings() []string {
	var all []string
	for ending := range formats {
		all = append(all, ending)
	}
	slices.Sort(all)
	return all
}

// ReadAll reads a whole recording.
func ReadAll(name string, file io.Reader, o Options) ([]Row, error) {
	source, err := Open(name, file, o)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for {
		row, err := source.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

// lines reads a file whose rows are lines.
type lines struct {
	name  string
	file  *bufio.Reader
	line  int
	count int64 // rows
}

func newLines(name string, file io.Reader) *lines {
	return &lines{name: name, file: bufio.NewReader(file)}
}

// next returns the next line that is not blank, without its end.
func (l *lines) next() (string, error) {
	for {
		text, err := l.file.ReadString('\n')
		if err != nil && (err != io.EOF || text == "") {
			if err != io.EOF {
				err = fmt.Errorf("recording: %s: %w", l.name, err)
			}
			return "", err
		}
		l.line++
		if text = strings.TrimRight(text, "\r\n"); strings.TrimSpace(text) != "" {
			return text, nil
		}
	}
}

// row returns the next line as a row.
func (l *lines) row(parse func(text string) (fleet.Position, error)) (Row, error) {
	text, err := l.next()
	if err != nil {
		return Row{}, err
	}
	l.count++
	p, err := parse(text)
	if err != nil {
		return Row{Text: text, Err: fmt.Errorf("recording: %s line %d: %w", l.name, l.line, err)}, nil
	}
	if p.Seq == 0 {
		p.Seq = l.count
	}
	return Row{Position: p}, nil
}
