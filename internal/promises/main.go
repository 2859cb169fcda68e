// Command promises keeps docs/promises.md true: the page of what Rio promises, and of the tests that prove it.
//
//	go run ./internal/promises write          writes docs/promises.md
//	go run ./internal/promises check FILE...  fails if the page is stale, or a proof on it did not pass in the test runs in FILES
//
// The promises are in promises.txt, each with an id. A test names the promises that it proves in its doc comment:
//
//	// TestRestart kills a process and starts it again.
//	//
//	// Proves: exactly-once-crash (processes), acked-not-lost
//
// The word processes says that the test kills, freezes or runs processes of their own. Where else a test runs is derived
// from what it calls (see places.go). A FILE is what gotestsum --jsonfile writes; its name says which step of CI ran the
// tests, and the files kafka.json and brokers.json are those of the steps with an Apache Kafka.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

//go:generate go run . write

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "promises:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	root, err := findRoot()
	if err != nil {
		return err
	}
	switch {
	case len(args) == 1 && args[0] == "write":
		return write(root)
	case len(args) > 1 && args[0] == "check":
		return check(root, args[1:], out)
	}
	return errors.New("want \"write\", or \"check\" and the files of test runs")
}

// findRoot returns the directory of the module: the working directory, or the nearest one above that has the table.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, tableFile)); err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", fmt.Errorf("no %s here or above", tableFile)
		}
		dir = above
	}
}

func write(root string) error {
	page, err := pageOf(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, pageFile), page, 0o644)
}

// pageOf returns the page, or all mistakes in the table and in the lines of the tests.
func pageOf(root string) ([]byte, error) {
	table, proofs, err := load(root)
	if err != nil {
		return nil, err
	}
	return render(table, proofs), nil
}

// checkPage fails if the page is not what the table and the tests say.
func checkPage(root string) error {
	want, err := pageOf(root)
	if err != nil {
		return err
	}
	got, err := os.ReadFile(filepath.Join(root, pageFile))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is stale; run: go run ./internal/promises write", pageFile)
	}
	return nil
}

// load reads the table and the tests, and compares them.
func load(root string) (Table, []Proof, error) {
	table, err := readTable(root)
	if err != nil {
		return Table{}, nil, err
	}
	proofs, err := findProofs(root)
	if err != nil {
		return Table{}, nil, err
	}
	return table, proofs, compare(table, proofs)
}
