// Command promises generates and checks docs/promises.md, which lists what Rio promises and the tests that prove it.
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
// The word processes means that the test runs, kills or freezes separate processes. The other places where a test runs are
// derived from the functions that it calls (see places.go). Each FILE is written by gotestsum --jsonfile and named after the
// CI step that ran the tests; kafka.json, kafka-fleet.json and brokers.json come from
// the steps with an Apache Kafka.
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
	return errors.New("usage: promises write, or promises check FILE... with the files of test runs")
}

// findRoot returns the root directory of the module: the working directory or the nearest parent that contains the table.
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
			return "", fmt.Errorf("no %s in the working directory or its parents", tableFile)
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

// pageOf returns the page, or an error with all mistakes in the table and in the tests.
func pageOf(root string) ([]byte, error) {
	table, proofs, err := load(root)
	if err != nil {
		return nil, err
	}
	return render(table, proofs), nil
}

// checkPage returns an error if the page is not up to date.
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
