package main

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// column is what the table shows of each vehicle.
type column struct {
	title string
	width int
	right bool // aligned
	text  func(*vehicle) string
}

// columnsFor are the columns for which a terminal of so many characters has room, from the left. A wide one shows more of names.
func columnsFor(width int) []column {
	name, line := 12, 6
	if width >= 100 {
		name, line = 22, 12
	}
	all := []column{
		{"vehicle", name, false, func(v *vehicle) string { return middle(v.name, name) }},
		{"line", line, false, func(v *vehicle) string { return v.route }},
		{"km/h", 5, true, func(v *vehicle) string { return fmt.Sprintf("%.1f", v.mean*3.6) }},
		{"route", 10, false, (*vehicle).whereabouts},
		{"timetable", 12, false, (*vehicle).punctuality},
		{"way", 5, true, (*vehicle).way},
	}
	var columns []column
	rest := width + len(gap)
	for _, c := range all {
		if rest -= len(gap) + c.width; rest < 0 {
			return columns
		}
		columns = append(columns, c)
	}
	if next := rest - len(gap); next >= shortestNext {
		columns = append(columns, column{"next stop", next, false, func(v *vehicle) string { return v.ahead(next) }})
	}
	return columns
}

const (
	gap          = "  "
	shortestNext = 16 // characters for the next stop, below which it is left out
)

// tableRow is a line of the table.
func tableRow(columns []column, text func(column) string) string {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cell := shortened(text(c), c.width)
		space := strings.Repeat(" ", c.width-utf8.RuneCountInString(cell))
		if c.right {
			cells[i] = space + cell
		} else {
			cells[i] = cell + space
		}
	}
	return strings.TrimRight(strings.Join(cells, gap), " ")
}

// shortened is a text of at most so many characters. The end of a text that is longer gives way to an ellipsis.
func shortened(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return strings.TrimRight(string(runes[:max(0, width-1)]), " ") + "…"
}

// middle is a text of at most so many characters. The middle of one that is longer gives way: names often differ in their ends.
func middle(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	tail := (width - 1) / 2
	return string(runes[:width-1-tail]) + "…" + string(runes[len(runes)-tail:])
}

// whereabouts is whether the vehicle is on its route.
func (v *vehicle) whereabouts() string {
	switch {
	case v.away != nil:
		return fmt.Sprintf("OFF %s", length(*v.away))
	case v.length > 0:
		return "on"
	}
	return "-"
}

// way is how much of its trip the vehicle has driven.
func (v *vehicle) way() string {
	if v.length == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100*v.along/v.length)
}

// ahead is the next stop and how far it is, in at most so many characters. The name is shortened, not the distance.
func (v *vehicle) ahead(width int) string {
	if v.next == "" {
		return ""
	}
	distance := " in " + length(v.nextAhead)
	return shortened(v.next, max(0, width-len(distance))) + distance
}

// length is a distance in metres, or in kilometres from ten on.
func length(metres float64) string {
	if metres >= 10_000 {
		return fmt.Sprintf("%.0f km", metres/1000)
	}
	return fmt.Sprintf("%.0f m", metres)
}

// wrapped puts phrases into lines of at most so many characters. A phrase that is longer is cut.
func wrapped(phrases []string, width int) []string {
	var lines []string
	line := ""
	for _, phrase := range phrases {
		joined := strings.TrimSpace(line + " " + phrase)
		if line != "" && utf8.RuneCountInString(joined) > width {
			lines = append(lines, line)
			joined = phrase
		}
		line = joined
	}
	lines = append(lines, line)
	for i, line := range lines {
		lines[i] = shortened(line, width)
	}
	return lines
}

// table shows a line for each vehicle, as far as so many lines have room for it. The last line is the address of the broker.
func (b *board) table(lines, width int) string {
	columns := columnsFor(width)
	head := wrapped(b.phrases(), width)
	besides := len(head) + 3 // heading, how many more there are, and the address
	room := max(1, lines-besides)
	var out strings.Builder
	for _, line := range head {
		fmt.Fprintln(&out, line)
	}
	fmt.Fprintln(&out, tableRow(columns, func(c column) string { return c.title }))
	for i, v := range b.sorted(room) {
		if i == room {
			fmt.Fprintf(&out, "and %d more\n", len(b.vehicles)-room)
			break
		}
		fmt.Fprintln(&out, tableRow(columns, func(c column) string { return c.text(v) }))
	}
	fmt.Fprintln(&out, address(b.address, width))
	return out.String()
}

// address is where the broker is reached: as much of it as there is room for, without words if need be.
func address(address string, width int) string {
	const words = "Kafka broker on "
	if len(words)+len(address) <= width {
		return words + address
	}
	first, _, more := strings.Cut(address, ",")
	if more {
		first += ",…"
	}
	return cmp.Or(shortened(first, width), first)
}
