package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Proof is a test that proves a promise.
type Proof struct {
	ID     string // id of the promise
	Import string // import path of the package
	File   string // path from the root, with slashes
	Line   int    // number of the line that names the promise
	Test   string // name of the test function
	Places []Place
}

// Place is where a test runs.
type Place string

const (
	Unit      Place = "unit"            // in the test process, without a broker
	Simulated Place = "fake cluster"    // against kfake, a simulated cluster of another project, in the test process
	Embedded  Place = "embedded broker" // against the embedded broker
	Apache    Place = "Apache Kafka"    // against an Apache Kafka
	Processes Place = "real processes"  // with processes that are killed, frozen, or run side by side
)

// places in the order of the page.
var places = []Place{Unit, Simulated, Embedded, Apache, Processes}

const marker = "// Proves:"

// resembles matches comments that are or should be lines with the marker.
var resembles = regexp.MustCompile(`(?i)\bproves:`)

// findProofs parses all tests below root, including nested modules. Its error contains all mistakes.
func findProofs(root string) ([]Proof, error) {
	var all []Proof
	var mistakes []error
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return nil
		}
		if name != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		proofs, wrong := proofsOfFolder(root, name)
		all = append(all, proofs...)
		mistakes = append(mistakes, wrong...)
		return nil
	})
	slices.SortStableFunc(all, func(a, b Proof) int { return strings.Compare(a.Import+" "+a.Test, b.Import+" "+b.Test) })
	return all, errors.Join(append(mistakes, err)...)
}

// proofsOfFolder reads the test files of one folder.
func proofsOfFolder(root, folder string) (proofs []Proof, mistakes []error) {
	names, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(names) == 0 {
		return nil, nil
	}
	imported, err := importPath(root, folder)
	if err != nil {
		return nil, []error{err}
	}
	packages := map[string]*tests{}
	for _, name := range names {
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return nil, []error{err}
		}
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		p := packages[parsed.Name.Name]
		if p == nil {
			p = &tests{imported: imported, calls: newCallGraph()}
			packages[parsed.Name.Name] = p
		}
		p.calls.add(parsed)
		p.collect(filepath.ToSlash(relative), parsed, positions)
	}
	for _, p := range packages {
		p.place()
		proofs = append(proofs, p.proofs...)
		mistakes = append(mistakes, p.mistakes...)
	}
	return proofs, mistakes
}

// importPath returns the import path of a folder, by the nearest go.mod.
func importPath(root, folder string) (string, error) {
	for dir := folder; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) && dir != root {
			continue
		}
		if err != nil {
			return "", err
		}
		match := regexp.MustCompile(`(?m)^module (\S+)$`).FindSubmatch(mod)
		if match == nil {
			return "", fmt.Errorf("%s has no module path", filepath.Join(dir, "go.mod"))
		}
		below, err := filepath.Rel(dir, folder)
		return path.Join(string(match[1]), filepath.ToSlash(below)), err
	}
}

// tests are the test files of one package.
type tests struct {
	imported string
	calls    *callGraph
	proofs   []Proof
	mistakes []error
}

// collect reads the marked lines of a file. A line that is not in the doc comment of a test is a mistake, because it would be
// ignored.
func (p *tests) collect(file string, parsed *ast.File, positions *token.FileSet) {
	inDoc := map[*ast.CommentGroup]string{}
	for _, decl := range parsed.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Doc != nil && isTest(f) {
			inDoc[f.Doc] = f.Name.Name
		}
	}
	for _, group := range parsed.Comments {
		for _, comment := range group.List {
			if !resembles.MatchString(comment.Text) {
				continue
			}
			line := positions.Position(comment.Pos()).Line
			list, ok := strings.CutPrefix(comment.Text, marker+" ")
			if !ok {
				p.wrong(file, line, "%q must begin with %q", comment.Text, marker+" ")
				continue
			}
			test, ok := inDoc[group]
			if !ok {
				p.wrong(file, line, "%q is not in the doc comment of a test", comment.Text)
				continue
			}
			for item := range strings.SplitSeq(list, ",") {
				p.item(Proof{Import: p.imported, File: file, Line: line, Test: test}, strings.TrimSpace(item))
			}
		}
	}
}

func (p *tests) wrong(file string, line int, format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...)))
}

// item parses "some-id" or "some-id (processes)".
func (p *tests) item(proof Proof, text string) {
	id, processes := strings.CutSuffix(text, " (processes)")
	if id == "" || strings.ContainsAny(id, " ()") {
		p.wrong(proof.File, proof.Line, "%q is neither \"some-id\" nor \"some-id (processes)\"", text)
		return
	}
	proof.ID = id
	if processes {
		proof.Places = []Place{Processes}
	}
	p.proofs = append(p.proofs, proof)
}

// place sets the places of all proofs when all files of the package have been read.
func (p *tests) place() {
	for i := range p.proofs {
		proof := &p.proofs[i]
		processes := len(proof.Places) > 0
		found := p.calls.places(proof.Test, processes)
		if processes && !slices.Contains(found, Processes) {
			p.wrong(proof.File, proof.Line, "%s is marked with (processes), but calls neither exec.Command nor exec.CommandContext", proof.Test)
		}
		if !processes {
			found = slices.DeleteFunc(found, func(at Place) bool { return at == Processes })
		}
		if len(found) == 0 {
			found = []Place{Unit}
		}
		proof.Places = found
	}
}

func isTest(f *ast.FuncDecl) bool {
	return f.Recv == nil && f.Name.Name != "TestMain" && slices.ContainsFunc([]string{"Test", "Fuzz", "Example"}, func(kind string) bool {
		return strings.HasPrefix(f.Name.Name, kind)
	})
}
