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
	width   int // of the terminal then
}

func newScreen(out *os.File) *screen {
	if isTerminal(out) {
		return &screen{out: out, inPlace: true, every: 500 * time.Millisecond}
	}
	return &screen{out: out, every: 5 * time.Second}
}

// Control sequences of terminals (ECMA-48).
const (
	clearAll   = "\x1b[H\x1b[2J"
	clearToEnd = "\x1b[J"
	upLines    = "\x1b[%dF"
)

func (s *screen) draw(b *board) {
	if !s.inPlace {
		fmt.Fprintln(s.out, b.line())
		return
	}
	lines, width := terminalSize(s.out)
	table := b.table(lines-1, width)
	switch {
	case s.height == 0:
	case s.width != width: // the terminal has broken the lines anew, so nobody knows where they are
		fmt.Fprint(s.out, clearAll)
	default:
		fmt.Fprintf(s.out, upLines, s.height)
	}
	fmt.Fprint(s.out, clearToEnd, table)
	s.height, s.width = strings.Count(table, "\n"), width
}

// isTerminal reports whether a file is one on which a cursor can move.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != ""
}
