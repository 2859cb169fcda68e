package cases

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// inputs returns a directory below RIO_CASES.
func inputs(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("RIO_CASES")
	if root == "" {
		t.Skip("RIO_CASES is not set, so there are no programs to run")
	}
	root, err := filepath.Abs(root)
	must(t, err)
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("RIO_CASES: %v", err)
	}
	return dir
}

// long skips a case that takes half a minute, unless RIO_CASES_LONG is set.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("RIO_CASES_LONG") == "" {
		t.Skip("takes more than 20 s; set RIO_CASES_LONG=1")
	}
}

// module is a copy of a module of programs that uses this checkout.
type module struct{ dir string }

// copyModule copies a directory below RIO_CASES. If the directory has no go.mod, copyModule takes that of another one.
func copyModule(t *testing.T, name, borrowed string) *module {
	t.Helper()
	m := &module{t.TempDir()}
	must(t, os.CopyFS(m.dir, os.DirFS(inputs(t, name))))
	if borrowed != "" {
		for _, file := range []string{"go.mod", "go.sum"} {
			text, err := os.ReadFile(filepath.Join(inputs(t, borrowed), file))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(m.dir, file), text, 0o644))
		}
	}
	checkout, err := filepath.Abs("../..")
	must(t, err)
	m.run(t, "go", "mod", "edit", "-require=github.com/rio-streams/rio@v0.0.0", "-replace=github.com/rio-streams/rio="+checkout)
	return m
}

// build builds the programs in the named directories of the module as one binary, because linking each would take minutes.
func (m *module) build(t *testing.T, programs ...string) {
	t.Helper()
	var imports, table strings.Builder
	for i, name := range programs {
		file := filepath.Join(m.dir, name, "main.go")
		text, err := os.ReadFile(file)
		must(t, err)
		text = regexp.MustCompile(`(?m)^package main$`).ReplaceAll(text, []byte("package program"))
		text = regexp.MustCompile(`(?m)^func main\(\)`).ReplaceAll(text, []byte("func Main()"))
		must(t, os.WriteFile(file, text, 0o644))
		fmt.Fprintf(&imports, "\tp%d %q\n", i, m.name(t)+"/"+name)
		fmt.Fprintf(&table, "\t%q: p%d.Main,\n", name, i)
	}
	dir := filepath.Join(m.dir, "all")
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "main.go"), fmt.Appendf(nil, allPrograms, imports.String(), table.String()), 0o644))
	m.run(t, "go", "build", "-mod=mod", "-o", m.binary(), "./all")
}

// allPrograms is the source of a main function that runs the program named by its first argument.
const allPrograms = `package main

import (
	"os"

%s)

var programs = map[string]func(){
%s}

func main() {
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	programs[name]()
}
`

// name is the path of the module.
func (m *module) name(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(m.run(t, "go", "list", "-m"))
}

func (m *module) binary() string { return filepath.Join(m.dir, "all", "program") }

// command returns the command that runs a program.
func (m *module) command(program string, args ...string) *exec.Cmd {
	return exec.Command(m.binary(), append([]string{program}, args...)...)
}

// run runs a command in the module, checks that it succeeds, and returns its output.
func (m *module) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = m.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// output runs a program for at most the given time and returns its output.
func (m *module) output(limit time.Duration, program string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := m.command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	tooLong := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !tooLong.Stop() {
		err = fmt.Errorf("killed after %v", limit)
	}
	return out.String(), err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
