package rio_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/rio-streams/rio"

// mayImport lists the packages of this module that a package may import, in addition to the leaves. "x/..." stands for
// x and the packages below it, and "public" for all packages that users may import. A package that is missing here
// fails the test.
var mayImport = map[string][]string{
	"codec":             {},
	"codec/...":         {"codec"},
	"state":             {"codec"},
	"state/pebblestore": {"state", "codec"},
	"state/statetest":   {"state", "codec"},
	"processor":         {"state", "codec"},
	"internal/plan":     {"processor", "state"},
	"internal/task":     {"internal/plan", "processor", "state"},
	"internal/replica":  {"internal/plan", "state"},
	"internal/global":   {"internal/plan", "processor", "state"},
	"internal/sim":      {"internal/task", "internal/plan", "processor", "state"},
	"topology":          {"internal/plan", "processor", "state", "codec"},
	"topologytest":      {"internal/...", "topology", "processor", "state", "codec"},
	"kafka":             {},
	"kafka/kafkatest":   {"kafka"},
	"broker":            {"broker/..."},
	"broker/...":        {"broker/..."},
	"runner":            {"runner/internal/...", "internal/...", "topology", "processor", "state/...", "codec", "kafka", "broker", "metrics/..."},
	"console":           {"runner"},

	"runner/internal/assign":  {"kafka"},
	"interop/goka":            {"topology", "processor", "state", "codec"},
	"interop/oracle":          {"topologytest", "topology", "processor", "codec"},
	"cmd/...":                 {"public"},
	"examples/...":            {"public", "examples/..."},
	"internal/murmur2":        {},
	"internal/murmur3":        {},
	"internal/dirlock":        {},
	"internal/promises":       {},
	"metrics":                 {},
	"metrics/prometheus":      {"metrics"},
	"internal/similar":        {},
	"internal/paralleltest":   {},
	"internal/prometheustest": {},

	"broker/internal/group":       {}, // the coordinators must not depend on the log
	"broker/internal/transaction": {},
}

// leaves may be imported by all packages of this module.
var leaves = []string{"internal/murmur2", "internal/murmur3", "internal/dirlock", "internal/similar", "metrics"}

// onlyIn lists where a library may be imported; "x tests" stands for the test files of x. The separate module bench is
// not restricted.
var onlyIn = map[string][]string{
	"github.com/IBM/sarama":              {"kafka"},
	"github.com/lovoo/goka":              {"interop/goka"},
	"github.com/cockroachdb/pebble":      {"state/pebblestore", "broker/internal/store"},
	"github.com/twmb/franz-go/pkg/kfake": {"kafka tests", "kafka/kafkatest"},
	"github.com/twmb/franz-go/pkg/kmsg":  {"broker/...", "kafka tests", "kafka/kafkatest"},
	"github.com/twmb/franz-go/pkg/kgo":   {"broker/... tests", "kafka tests", "kafka/kafkatest"},
	"github.com/spf13/cobra":             {"cmd/..."},
	"github.com/prometheus":              {"metrics/prometheus", "runner", "cmd/...", "broker tests"},
	"github.com/rogpeppe/go-internal":    {"cmd/... tests"},
}

// pure packages depend only on their inputs: no clock, no goroutines, no network.
var pure = []string{"metrics", "codec/...", "state", "broker/internal/batch", "broker/internal/group", "broker/internal/sasl", "broker/internal/transaction", "processor", "internal/plan", "internal/task", "topology"}

// clocked packages may read the clock; in others, the time is an argument.
var clocked = []string{"runner", "kafka/...", "broker", "broker/internal/engine", "broker/internal/server", "broker/internal/store", "console", "cmd/...", "examples/...", "internal/prometheustest"}

// clock lists the functions of package time that read the machine's clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestLayers(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && foreign(name, entry) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		broken, err := check(filepath.ToSlash(name), source)
		for _, line := range broken {
			t.Error(line)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// foreign reports whether the rules do not apply to a folder: hidden, test data, or another module.
func foreign(name string, entry fs.DirEntry) bool {
	if strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

// check returns the violations in a file, one line each.
func check(name string, source []byte) ([]string, error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &file{name: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), positions: files}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		f.imports(spec.Pos(), imported)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			f.goroutine(n.Pos())
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clock, n.Sel.Name) {
				f.usesClock(n.Pos(), n.Sel.Name)
			}
		}
		return true
	})
	return f.broken, nil
}

// file is the file being checked.
type file struct {
	name      string
	folder    string // path of its package, relative to the root
	test      bool
	positions *token.FileSet
	broken    []string
}

func (f *file) breaks(at token.Pos, format string, args ...any) {
	f.broken = append(f.broken, fmt.Sprintf("%s:%d: ", f.name, f.positions.Position(at).Line)+fmt.Sprintf(format, args...))
}

func (f *file) imports(at token.Pos, imported string) {
	if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
		f.importsOurs(at, ours)
		return
	}
	if (imported == "net" || strings.HasPrefix(imported, "net/")) && !f.test && within(f.folder, pure) {
		f.breaks(at, "imports %s, but %s has no sockets; rule: pure packages are functions of their inputs", imported, f.folder)
	}
	for library, places := range onlyIn {
		if (imported == library || strings.HasPrefix(imported, library+"/")) && !f.isIn(places) {
			f.breaks(at, "imports %s; rule: only these may: %s", imported, strings.Join(places, ", "))
		}
	}
}

// importsOurs checks an import of a package of this module. Tests may import any package that does not cause a cycle.
func (f *file) importsOurs(at token.Pos, ours string) {
	if f.test || slices.Contains(leaves, ours) {
		return
	}
	allowed, known := law(f.folder)
	switch {
	case !known:
		f.breaks(at, "package %s has no place among the layers; rule: name it in mayImport", f.folder)
	case within(ours, allowed):
	case slices.Contains(allowed, "public") && public(ours):
	default:
		f.breaks(at, "imports %s; rule: %s may import of ours: %s", ours, f.folder, strings.Join(append(allowed, leaves...), ", "))
	}
}

func (f *file) goroutine(at token.Pos) {
	if !f.test && within(f.folder, pure) {
		f.breaks(at, "starts a goroutine; rule: %s runs in that of its caller", f.folder)
	}
}

func (f *file) usesClock(at token.Pos, name string) {
	switch {
	case name == "Sleep" && (f.test || strings.HasSuffix(f.folder, "test")):
		f.breaks(at, "time.Sleep; rule: tests wait for what they wait for, not for a while")
	case !f.test && !within(f.folder, clocked):
		f.breaks(at, "time.%s; rule: %s takes time as an argument", name, f.folder)
	}
}

// isIn reports whether the file belongs to one of places, some of which only include tests.
func (f *file) isIn(places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		folder, onlyTests := strings.CutSuffix(place, " tests")
		return matches(f.folder, folder) && (f.test || !onlyTests)
	})
}

// law returns the packages that a package may import, by the most specific entry.
func law(folder string) (allowed []string, known bool) {
	if allowed, known = mayImport[folder]; known {
		return allowed, true
	}
	for above := folder; above != "."; above = path.Dir(above) {
		if allowed, known = mayImport[above+"/..."]; known {
			return allowed, true
		}
	}
	return nil, false
}

func within(folder string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(folder, pattern) })
}

func matches(folder, pattern string) bool {
	below, deep := strings.CutSuffix(pattern, "/...")
	return folder == below || deep && strings.HasPrefix(folder, below+"/")
}

// public reports whether users of the library may import a package.
func public(folder string) bool {
	return !within(folder, []string{"internal/...", "cmd/...", "examples/..."})
}

// TestLayersNotices: each kind of violation is found.
func TestLayersNotices(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"kafka/x.go", `import "github.com/rio-streams/rio/state"`, "kafka may import of ours"},
		{"internal/task/x.go", `import "github.com/rio-streams/rio/kafka"`, "internal/task may import of ours"},
		{"topology/x.go", `import "github.com/rio-streams/rio/runner"`, "topology may import of ours"},
		{"runner/x.go", `import "github.com/rio-streams/rio/cmd/rio"`, "runner may import of ours"},
		{"cmd/rio/x.go", `import "github.com/rio-streams/rio/internal/plan"`, "cmd/rio may import of ours"},
		{"novel/x.go", `import "github.com/rio-streams/rio/codec"`, "name it in mayImport"},
		{"runner/x.go", `import "github.com/IBM/sarama"`, "only these may: kafka"},
		{"kafka/x.go", `import "github.com/twmb/franz-go/pkg/kmsg"`, "only these may: broker"},
		{"runner/x_test.go", `import "github.com/cockroachdb/pebble/v2"`, "only these may: state/pebblestore"},
		{"codec/x.go", `import "net/http"`, "functions of their inputs"},
		{"topology/x.go", `func f() { go f() }`, "starts a goroutine"},
		{"state/x.go", `import "time"; var now = time.Now`, "takes time as an argument"},
		{"state/pebblestore/x.go", `import "time"; var since = time.Since`, "takes time as an argument"},
		{"runner/x_test.go", `import "time"; func f() { time.Sleep(1) }`, "not for a while"},
		{"kafka/kafkatest/x.go", `import "time"; func f() { time.Sleep(1) }`, "not for a while"},

		{"kafka/x_test.go", `import "github.com/twmb/franz-go/pkg/kfake"`, ""},
		{"state/x_test.go", `import "time"; var now = time.Now`, ""},
		{"examples/vendas/x.go", `import "github.com/rio-streams/rio/runner"`, ""},
		{"topologytest/x.go", `import "github.com/rio-streams/rio/internal/task"`, ""},
	} {
		broken, err := check(test.name, []byte("package x; "+test.source))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(broken, "\n")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %s\ngot  %q\nwant %q", test.name, test.source, got, test.want)
		}
	}
}
