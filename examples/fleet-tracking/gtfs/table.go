package gtfs

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// table is one file of a feed. Columns are found by name. A row may be shorter than the header: the last values are empty, then.
type table struct {
	name    string
	rows    *csv.Reader
	columns map[string]int
	width   int // fields of the header
	record  []string
	line    int
	wrong   []error
}

// enough is how many mistakes of a file are told.
const enough = 10

// withoutMark leaves out the byte order mark that a file may begin with.
func withoutMark(file io.Reader) io.Reader {
	const mark = "\ufeff"
	r := bufio.NewReader(file)
	if start, err := r.Peek(len(mark)); err == nil && string(start) == mark {
		r.Discard(len(mark))
	}
	return r
}

// eachRow calls visit for every row of a file and returns all its mistakes.
func eachRow(feed fs.FS, name string, required []string, visit func(*table)) error {
	file, err := feed.Open(name)
	if err != nil {
		return fmt.Errorf("gtfs: %w", err)
	}
	defer file.Close()
	t := &table{name: name, rows: csv.NewReader(withoutMark(file)), columns: map[string]int{}}
	t.rows.ReuseRecord, t.rows.FieldsPerRecord = true, -1
	if err := t.readHeader(required); err != nil {
		return err
	}
	for len(t.wrong) < enough {
		t.record, err = t.rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.wrong = append(t.wrong, fmt.Errorf("gtfs: %s: %w", name, err))
			break
		}
		t.line, _ = t.rows.FieldPos(0)
		switch blank := len(t.record) == 1 && strings.TrimSpace(t.record[0]) == ""; {
		case blank:
		case len(t.record) > t.width:
			t.wrong = append(t.wrong, fmt.Errorf("gtfs: %s line %d: %d fields, but the header has %d", t.name, t.line, len(t.record), t.width))
		default:
			visit(t)
		}
	}
	return errors.Join(t.wrong...)
}

func (t *table) readHeader(required []string) error {
	header, err := t.rows.Read()
	if err == io.EOF {
		return fmt.Errorf("gtfs: %s is empty: a header line is needed", t.name)
	}
	if err != nil {
		return fmt.Errorf("gtfs: %s: %w", t.name, err)
	}
	t.width = len(header)
	for i, column := range header {
		t.columns[strings.TrimSpace(column)] = i
	}
	var missing []string
	for _, column := range required {
		if _, ok := t.columns[column]; !ok {
			missing = append(missing, column)
		}
	}
	if missing != nil {
		return fmt.Errorf("gtfs: %s has no column %s; it has %s",
			t.name, strings.Join(missing, ", "), strings.Join(header, ", "))
	}
	return nil
}

// text is the value of a column, empty if the file lacks the column.
func (t *table) text(column string) string {
	i, ok := t.columns[column]
	if !ok || i >= len(t.record) {
		return ""
	}
	return strings.Clone(strings.TrimSpace(t.record[i]))
}

// need is the value of a column that must have one.
func (t *table) need(column string) string {
	value := t.text(column)
	if value == "" {
		t.fail(column, "is empty")
	}
	return value
}

// number parses the value of a column that must have one.
func number[N any](t *table, column string, parse func(string) (N, error)) N {
	value := t.need(column)
	if value == "" {
		var none N
		return none
	}
	n, err := parse(value)
	if err != nil {
		t.fail(column, fmt.Sprintf("%q is not %v", value, err))
	}
	return n
}

// optional parses the value of a column that may be empty or absent.
func optional[N any](t *table, column string, parse func(string) (N, error)) (N, bool) {
	if t.text(column) == "" {
		var none N
		return none, false
	}
	return number(t, column, parse), true
}

func (t *table) fail(column, what string) {
	t.wrong = append(t.wrong, fmt.Errorf("gtfs: %s line %d: %s %s", t.name, t.line, column, what))
}
