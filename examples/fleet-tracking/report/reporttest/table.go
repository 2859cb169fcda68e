package reporttest

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"
)

// Row is a row of a CSV file, by column.
type Row map[string]string

// Number returns the number in a column, and fails the test if there is none.
func (r Row) Number(t *testing.T, column string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		t.Fatalf("column %s of %v: %v", column, r, err)
	}
	return x
}

// Rows returns the rows of a CSV file below its header.
func Rows(t *testing.T, path string) []Row {
	t.Helper()
	lines := Lines(t, path)
	rows := make([]Row, len(lines)-1)
	for i, line := range lines[1:] {
		rows[i] = Row{}
		for column, value := range line {
			rows[i][lines[0][column]] = value
		}
	}
	return rows
}

// Lines returns the lines of a CSV file as lists of values, the header first. There is at least that.
func Lines(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(lines) == 0 {
		t.Fatalf("%s is empty: it has not even a header", path)
	}
	return lines
}
