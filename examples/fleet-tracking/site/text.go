package site

import (
	"strings"
	"unicode"
)

// Printable replaces the characters of a name that could control a terminal. Names of stops, drivers and vehicles come from whoever writes
// timetables, assignments and positions.
func Printable(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, name)
}
