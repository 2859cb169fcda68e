package freight

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// column is a column of a CSV file, under all names that it may have.
type column struct {
	names    []string // in lower case, without accents
	required bool
}

// table is a CSV file whose columns are found by name.
type table struct {
	*mistakes
	file    string
	columns map[string]int // by the first name of the column
	header  []string
	comma   bool // numbers may have a decimal comma
	record  []string
	line    int
}

// eachRow calls visit for each row of a CSV file.
func eachRow(m *mistakes, file string, content []byte, columns []column, visit func(*table)) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	t := &table{mistakes: m, file: file}
	rows := csv.NewReader(bufio.NewReader(bytes.NewReader(content)))
	rows.FieldsPerRecord, rows.TrimLeadingSpace = -1, true
	first, _, _ := bytes.Cut(content, []byte("\n"))
	if t.comma = bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")); t.comma {
		rows.Comma = ';'
	}
	header, err := rows.Read()
	if err == io.EOF {
		m.add(file, "is empty: a header line is needed")
		return
	}
	if err != nil {
		t.unreadable(err)
		return
	}
	t.header = header
	if !t.find(columns) {
		return
	}
	for {
		t.record, err = rows.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.unreadable(err)
			return
		}
		t.line, _ = rows.FieldPos(0)
		switch blank := len(t.record) == 1 && strings.TrimSpace(t.record[0]) == ""; {
		case blank:
		case len(t.record) > len(header):
			t.at(t.place(), "%d fields, but the header has %d", len(t.record), len(header))
		default:
			visit(t)
		}
	}
}

// unreadable tells of a quote where none may be.
func (t *table) unreadable(err error) {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		t.at(place{t.file, parse.StartLine}, "%v", parse.Err)
		return
	}
	t.add(t.file, "%v", err)
}

// find looks up the columns; false if one that is required is missing.
func (t *table) find(columns []column) bool {
	t.columns = map[string]int{}
	index := map[string]int{}
	for i, name := range t.header {
		index[plain(name)] = i
	}
	var missing []string
	for _, c := range columns {
		found := false
		for _, name := range c.names {
			if i, ok := index[name]; ok && !found {
				t.columns[c.names[0]], found = i, true
			}
		}
		if !found && c.required {
			missing = append(missing, strings.Join(c.names, " or "))
		}
	}
	for _, names := range missing {
		t.at(place{t.file, 1}, "no column %s; there are %s", names, strings.Join(t.header, ", "))
	}
	return missing == nil
}

// accents are the letters of Portuguese that a name of a column may have or lack.
var accents = strings.NewReplacer("á", "a", "à", "a", "â", "a", "ã", "a", "é", "e", "ê", "e", "í", "i", "ó", "o", "ô", "o", "õ", "o", "ú", "u", "ç", "c", " ", "_", "-", "_")

// plain returns the name of a column in lower case, without accents.
func plain(name string) string { return accents.Replace(strings.ToLower(strings.TrimSpace(name))) }

func (t *table) place() place { return place{t.file, t.line} }

// text returns the value of a column, empty if the file lacks it.
func (t *table) text(column string) string {
	i, ok := t.columns[column]
	if !ok || i >= len(t.record) {
		return ""
	}
	return strings.TrimSpace(t.record[i])
}

// need returns the value of a column that must have one.
func (t *table) need(column string) string {
	value := t.text(column)
	if value == "" {
		t.at(t.place(), "%s is empty", t.name(column))
	}
	return value
}

// name is what the file calls a column.
func (t *table) name(column string) string {
	if i, ok := t.columns[column]; ok {
		return strings.TrimSpace(t.header[i])
	}
	return column
}

// number returns the number in a column between two bounds, 0 where the column is empty.
func (t *table) number(column, kind string, low, high float64) float64 {
	value := t.text(column)
	if value == "" {
		return 0
	}
	text := value
	if t.comma {
		text = strings.Replace(text, ",", ".", 1)
	}
	x, ok := parseNumber(text, low, high)
	if !ok {
		t.at(t.place(), "%s %q is not %s", t.name(column), value, kind)
	}
	return x
}
