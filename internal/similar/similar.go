// Package similar suggests names for a misspelt one.
package similar

import (
	"slices"
	"strings"
)

// Names returns up to three of names that are similar to a misspelt name, the most similar first. A name is similar if its
// distance is at most a third of the length of misspelt (but at least 1 and at most 3), or if it contains misspelt and misspelt
// has at least 4 bytes. Case is ignored.
func Names(misspelt string, names []string) []string {
	type candidate struct {
		name string
		far  int
	}
	var near []candidate
	most := max(1, min(len(misspelt)/3, 3))
	for _, name := range names {
		far := distance(strings.ToLower(misspelt), strings.ToLower(name))
		if far <= most || len(misspelt) >= 4 && strings.Contains(strings.ToLower(name), strings.ToLower(misspelt)) {
			near = append(near, candidate{name, far})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.far - b.far })
	var found []string
	for _, c := range near[:min(len(near), 3)] {
		found = append(found, c.name)
	}
	return found
}

// Hint returns "; did you mean A or B?", or "" if no name is similar.
func Hint(misspelt string, names []string) string {
	near := Names(misspelt, names)
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}

// distance returns the Levenshtein distance of two strings: the number of bytes to insert, delete or replace to turn one into
// the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // row[j]: distance between the previous prefix of a and b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
