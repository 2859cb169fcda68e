package main

import (
	"errors"
	"fmt"
)

// compare reports where the table and the tests contradict each other.
func compare(table Table, proofs []Proof) error {
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	proved := map[string]bool{}
	for _, proof := range proofs {
		proved[proof.ID] = true
		promise, known := table.promise(proof.ID)
		switch {
		case !known:
			wrong("%s:%d: %s proves %s, which is not in %s", proof.File, proof.Line, proof.Test, proof.ID, tableFile)
		case !promise.Kept():
			wrong("%s:%d: %s proves %s, but %s marks it as not kept or not proved", proof.File, proof.Line, proof.Test, proof.ID, tableFile)
		}
	}
	for _, promise := range table.Promises {
		if promise.Kept() && !proved[promise.ID] {
			wrong("%s: no test proves %s: add its id to a test that does, or write \"not proved: why\"", tableFile, promise.ID)
		}
	}
	return errors.Join(mistakes...)
}
