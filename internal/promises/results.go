package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// withApache are the test runs that have an Apache Kafka.
var withApache = []string{"kafka.json", "kafka-fleet.json", "brokers.json"}

// results contains the outcome of each test in one group of test runs.
type results struct {
	ran      bool
	outcomes map[string]outcome
}

// outcome is the outcome of a test and its subtests.
type outcome struct {
	action  string // pass, skip, or fail
	subtest map[string]string
}

// passed reports whether the test has proved anything: go test reports a test as passed even if all its subtests were skipped.
func (o outcome) passed() bool {
	if o.action != "pass" {
		return false
	}
	shown := len(o.subtest) == 0
	for name, action := range o.subtest {
		shown = shown || action == "pass" && !o.hasBelow(name)
	}
	return shown
}

func (o outcome) hasBelow(name string) bool {
	for other := range o.subtest {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

func (o outcome) String() string {
	switch {
	case o.action == "":
		return "did not run"
	case o.action == "skip":
		return "was skipped"
	case o.action == "pass":
		return "has no subtest that passed"
	}
	return "ended with " + o.action
}

// read adds the events of go test -json. A test that ran twice counts by its better outcome.
func (r *results) read(events io.Reader) error {
	r.ran = true
	if r.outcomes == nil {
		r.outcomes = map[string]outcome{}
	}
	run := map[string]outcome{}
	for d := json.NewDecoder(events); ; {
		var event struct{ Action, Package, Test string }
		if err := d.Decode(&event); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if event.Test == "" || !slices.Contains([]string{"pass", "skip", "fail"}, event.Action) {
			continue
		}
		top, below, isSubtest := strings.Cut(event.Test, "/")
		o := run[event.Package+"."+top]
		if isSubtest {
			if o.subtest == nil {
				o.subtest = map[string]string{}
			}
			o.subtest[below] = event.Action
		} else {
			o.action = event.Action
		}
		run[event.Package+"."+top] = o
	}
	for test, o := range run {
		if !r.outcomes[test].passed() {
			r.outcomes[test] = o
		}
	}
	return nil
}

// check returns an error if the page is stale, or if a proof on it did not pass in any of the recorded test runs. It prints the
// proofs that it cannot check because their test run is missing.
func check(root string, files []string, out io.Writer) error {
	if err := checkPage(root); err != nil {
		return err
	}
	table, proofs, err := load(root)
	if err != nil {
		return err
	}
	var local, apache results
	for _, name := range files {
		group := &local
		if slices.Contains(withApache, filepath.Base(name)) {
			group = &apache
		}
		if err := readFile(group, name); err != nil {
			return err
		}
	}
	var failed []error
	checked := 0
	for _, proof := range proofs {
		for _, at := range proof.Places {
			ran := runsFor(at, &local, &apache)
			if len(ran) == 0 {
				continue
			}
			checked++
			if err := passedIn(ran, proof, at); err != nil {
				failed = append(failed, err)
			}
		}
	}
	if !local.ran {
		fmt.Fprintln(out, "not checked: proofs without Apache Kafka; no run of them is recorded")
	}
	if !apache.ran {
		fmt.Fprintln(out, "not checked: proofs on Apache Kafka; no run of them is recorded")
	}
	if len(failed) == 0 {
		fmt.Fprintf(out, "promises: %d, proofs that passed: %d\n", len(table.Promises), checked)
	}
	return errors.Join(failed...)
}

func readFile(group *results, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := group.read(bufio.NewReader(f)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// runsFor returns the recorded runs in which a test can pass at a place. Tests with processes can pass in all.
func runsFor(at Place, local, apache *results) (ran []*results) {
	if at != Apache && local.ran {
		ran = append(ran, local)
	}
	if (at == Apache || at == Processes) && apache.ran {
		ran = append(ran, apache)
	}
	return ran
}

func passedIn(ran []*results, proof Proof, at Place) error {
	var last outcome
	for _, r := range ran {
		last = r.outcomes[proof.Import+"."+proof.Test]
		if last.passed() {
			return nil
		}
	}
	return fmt.Errorf("%s: %s proves %s (%s), but it %s", proof.File, proof.Test, proof.ID, at, last)
}
