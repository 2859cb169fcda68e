package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// figure is one measured value. For units per second, larger is better; for all others, smaller is better.
type figure struct {
	name  string
	unit  string
	value float64
}

// figures are the figures of one trial, in the order of the report. All trials of one run have the same ones.
type figures []figure

// results are the trials by contestant and round; a failed trial is missing.
type results map[string]map[int]figures

func (r results) add(name string, round int, f figures) {
	if r[name] == nil {
		r[name] = map[int]figures{}
	}
	r[name][round] = f
}

// rows returns one of the trials, for the names of the figures.
func (r results) rows() figures {
	for _, trials := range r {
		for _, f := range trials {
			return f
		}
	}
	return nil
}

// spread returns the median, the smallest and the largest value of a figure over the rounds.
func (r results) spread(name string, row int) string {
	var values []float64
	for _, f := range r[name] {
		values = append(values, f[row].value)
	}
	if len(values) == 0 {
		return "–"
	}
	middle := number(median(values))
	if len(values) == 1 {
		return middle
	}
	return fmt.Sprintf("%s (%s..%s)", middle, number(slices.Min(values)), number(slices.Max(values)))
}

// ratio returns the median of the ratio of two contestants in the same round. A temporary slowdown of the machine
// affects both. Rounds in which the rival's value is 0 are omitted.
func (r results) ratio(name, rival string, row int) string {
	var values []float64
	for round, f := range r[name] {
		if g, ok := r[rival][round]; ok && g[row].value != 0 {
			values = append(values, f[row].value/g[row].value)
		}
	}
	if len(values) == 0 {
		return "–"
	}
	return number(median(values))
}

// median returns the middle value, or the mean of the two middle values.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// report prints a Markdown table with a row per figure, a column per contestant, and a column with the ratio after each
// pair of rivals.
func report(w io.Writer, names []string, runs results) error {
	columns := columnsOf(names)
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprint(t, "| figure\t| unit\t|")
	for _, c := range columns {
		fmt.Fprintf(t, " %s\t|", c.title())
	}
	fmt.Fprint(t, "\n| ---\t| ---\t|")
	for range columns {
		fmt.Fprint(t, " ---:\t|")
	}
	fmt.Fprintln(t)
	for row, f := range runs.rows() {
		fmt.Fprintf(t, "| %s\t| %s\t|", f.name, f.unit)
		for _, c := range columns {
			fmt.Fprintf(t, " %s\t|", c.cell(runs, row))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// column belongs to a contestant or, with a rival, to the ratio of the two.
type column struct{ name, rival string }

// columnsOf returns the columns. The ratio of two rivals comes after the later one.
func columnsOf(names []string) []column {
	var columns []column
	for i, name := range names {
		columns = append(columns, column{name: name})
		for _, c := range contestants {
			here, there := slices.Index(names, c.name), slices.Index(names, c.rival)
			if here >= 0 && there >= 0 && max(here, there) == i {
				columns = append(columns, column{c.name, c.rival})
			}
		}
	}
	return columns
}

func (c column) title() string {
	if c.rival == "" {
		return c.name
	}
	return c.name + " ÷ " + c.rival
}

func (c column) cell(runs results, row int) string {
	if c.rival == "" {
		return runs.spread(c.name, row)
	}
	return runs.ratio(c.name, c.rival, row)
}

// number formats a value with about three digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.1 || a == 0:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.2g", v)
	}
}
