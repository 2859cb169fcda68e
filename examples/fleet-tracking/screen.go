package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// screen shows a board: on a terminal a table that is refreshed in place, elsewhere now and then a line.
type screen struct {
	out     *os.File
	inPlace bool
	every   time.Duration
	height  int // lines of the table that stands there
}

func newScreen(out *os.File) *screen {
	if isTerminal(out) {
		return &screen{out: out, inPlace: true, every: 500 * time.Millisecond}
	}
	return &screen{out: out, every: 5 * time.Second}
}

// Control sequences of terminals (ECMA-48).
const (
	clearToEnd = "\x1b[J"
	upLines    = "\x1b[%dF"
)

func (s *screen) draw(b *board) {
	if !s.inPlace {
		fmt.Fprintln(s.out, b.line())
		return
	}
	lines, columns := terminalSize(s.out)
	table := cut(b.table(lines-1), columns)
	if s.height > 0 {
		fmt.Fprintf(s.out, upLines, s.height)
	}
	fmt.Fprint(s.out, clearToEnd, table)
	s.height = strings.Count(table, "\n")
}

// cut shortens each line to so many columns, so that none takes two.
func cut(text string, columns int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		runes := []rune(strings.TrimSuffix(line, "\n"))
		fmt.Fprintln(&out, string(runes[:min(len(runes), columns)]))
	}
	return out.String()
}

// isTerminal reports whether a file is one on which a cursor can move.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != ""
}
