package rio_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var readmes = []string{"README.md", "README.pt-BR.md"}

// The programs in the READMEs must compile, and must be the same in both languages.
func TestProgramsOfTheREADMECompile(t *testing.T) {
	first := programs(t, readmes[0])
	if len(first) == 0 {
		t.Error("the README contains no program")
	}
	for _, program := range first {
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(program), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, program)
		}
	}
	for _, name := range readmes[1:] {
		if !slices.Equal(programs(t, name), first) {
			t.Errorf("the programs in %s differ from those in %s", name, readmes[0])
		}
	}
}

// programs returns the Go programs in a README.
func programs(t *testing.T, readme string) (programs []string) {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(block[1], "package main") {
			programs = append(programs, block[1])
		}
	}
	return programs
}

// Links in the READMEs to files of the project, and paths in commands, must exist.
func TestLinksOfDocumentsLead(t *testing.T) {
	local := regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)
	run := regexp.MustCompile(`go run (\./[a-z/-]+)`)
	for _, name := range append([]string{"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}, readmes...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range local.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(link[1]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, command := range run.FindAllStringSubmatch(string(text), -1) {
			_, err := os.Stat(command[1])
			if _, errBench := os.Stat(filepath.Join("bench", command[1])); err != nil && errBench != nil {
				t.Errorf("%s: %s: %v", name, command[0], err)
			}
		}
	}
}
