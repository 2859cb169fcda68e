package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestPage fails if the page of this repository is stale or the tests contradict the table.
func TestPage(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPage(root); err != nil {
		t.Error(err)
	}
}

// TestScripts runs the scripts in testdata. Each creates a module file by file:
//
//	file NAME    writes a file
//	page         prints the page from its first heading of promises on
//	index        prints the page's table of promises and places
//	write        writes the page
//	stale        checks that the page is up to date
//	mistakes     prints the mistakes that prevent a page
//	check NAME.. checks test runs; each file was written before
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, script string) {
		root := t.TempDir()
		writeFile(t, root, "go.mod", "module example.com/m\n")
		datadriven.RunTest(t, script, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				writeFile(t, root, d.CmdArgs[0].Key, d.Input)
				return "ok"
			case "page":
				return fromMark(t, root, "\n## ")
			case "index":
				return strings.Split(fromMark(t, root, "\nOf "), "\n\n## ")[0]
			case "mistakes":
				_, err := pageOf(root)
				return message(root, err)
			case "write":
				return message(root, write(root))
			case "stale":
				return message(root, checkPage(root))
			case "check":
				return checked(root, d.CmdArgs)
			}
			t.Fatalf("no command %s", d.Cmd)
			return ""
		})
	})
}

func writeFile(t *testing.T, root, name, text string) {
	t.Helper()
	name = filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fromMark returns the page from mark on.
func fromMark(t *testing.T, root, mark string) string {
	t.Helper()
	page, err := pageOf(root)
	if err != nil {
		return err.Error()
	}
	_, rest, found := strings.Cut(string(page), mark)
	if !found {
		t.Fatalf("no %q in\n%s", mark, page)
	}
	return strings.TrimPrefix(mark, "\n") + rest
}

func checked(root string, names []datadriven.CmdArg) string {
	var files []string
	for _, name := range names {
		files = append(files, filepath.Join(root, name.Key))
	}
	var out strings.Builder
	err := check(root, files, &out)
	return out.String() + message(root, err)
}

func message(root string, err error) string {
	if err == nil {
		return "ok"
	}
	return "failed: " + strings.ReplaceAll(err.Error(), root+string(filepath.Separator), "")
}
