package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// tableFile is the path of the file with the promises, relative to the root.
const tableFile = "internal/promises/promises.txt"

// Table is the contents of promises.txt, which has this format:
//
//	# Heading
//
//	some-id (safety)
//	  One sentence, on as many lines as it needs.
//	  from: README.md, runner/doc.go
//	  not kept: why
//
// The last line marks a promise that is not kept. "not proved: why" instead marks a promise that is believed to be kept, but
// that no test proves. The reason may continue in further lines. Lines that begin with // are comments.
type Table struct {
	Promises []Promise
}

// Promise is what a user can rely on.
type Promise struct {
	Heading   string
	ID        string
	Kind      string // safety or liveness
	Sentence  string
	From      []string // files that make the promise to users, relative to the root
	NotKept   string   // reason, or "" if the promise is kept
	NotProved string   // reason, or "" if tests prove it
}

// Kept reports whether the promise needs a proof.
func (p Promise) Kept() bool { return p.NotKept == "" && p.NotProved == "" }

func (t Table) promise(id string) (Promise, bool) {
	for _, p := range t.Promises {
		if p.ID == id {
			return p, true
		}
	}
	return Promise{}, false
}

var firstLine = regexp.MustCompile(`^([a-z0-9]+(?:-[a-z0-9]+)*) \((safety|liveness)\)$`)

// readTable reads the table of the module at root. Its error contains all mistakes.
func readTable(root string) (Table, error) {
	text, err := os.ReadFile(filepath.Join(root, tableFile))
	if err != nil {
		return Table{}, err
	}
	r := reader{}
	for i, line := range strings.Split(string(text), "\n") {
		r.line = i + 1
		r.read(line)
	}
	r.check(root)
	return r.table, errors.Join(r.mistakes...)
}

// reader parses a table line by line.
type reader struct {
	table    Table
	heading  string
	line     int
	text     *string // the text that the next line may continue
	mistakes []error
}

func (r *reader) wrong(format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s:%d: "+format, append([]any{tableFile, r.line}, args...)...))
}

func (r *reader) read(line string) {
	text := strings.TrimSpace(line)
	switch {
	case text == "" || strings.HasPrefix(text, "//"):
	case strings.HasPrefix(line, "# "):
		r.heading = line[len("# "):]
	case line == text:
		match := firstLine.FindStringSubmatch(line)
		if match == nil {
			r.wrong("%q is neither \"# Heading\" nor \"some-id (safety)\" nor \"some-id (liveness)\"", line)
			return
		}
		if _, twice := r.table.promise(match[1]); twice {
			r.wrong("%s is defined twice", match[1])
		}
		r.table.Promises = append(r.table.Promises, Promise{Heading: r.heading, ID: match[1], Kind: match[2]})
		r.text = &r.table.Promises[len(r.table.Promises)-1].Sentence
	case len(r.table.Promises) == 0:
		r.wrong("%q does not belong to a promise", text)
	default:
		r.detail(&r.table.Promises[len(r.table.Promises)-1], text)
	}
}

// detail parses an indented line.
func (r *reader) detail(p *Promise, text string) {
	key, rest, _ := strings.Cut(text, ": ")
	switch key {
	case "from":
		p.From = strings.Split(rest, ", ")
		return
	case "not kept":
		r.text, text = &p.NotKept, rest
	case "not proved":
		r.text, text = &p.NotProved, rest
	}
	*r.text = strings.TrimSpace(*r.text + " " + text)
}

// check finds promises with missing parts.
func (r *reader) check(root string) {
	for _, p := range r.table.Promises {
		if !strings.HasSuffix(p.Sentence, ".") {
			r.mistakes = append(r.mistakes, fmt.Errorf("%s: promise %s needs a sentence that ends with a full stop", tableFile, p.ID))
		}
		if len(p.From) == 0 {
			r.mistakes = append(r.mistakes, fmt.Errorf("%s: promise %s does not say which file makes it; add a line \"from: README.md\"", tableFile, p.ID))
		}
		for _, file := range p.From {
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				r.mistakes = append(r.mistakes, fmt.Errorf("%s: promise %s is from a file that is missing: %s", tableFile, p.ID, file))
			}
		}
	}
}
