package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"
)

const (
	checkTimeout = 30 * time.Second // limit for checks that must succeed eventually
	maxLength    = 500              // maximum length of a printed error
)

// checks runs checks one after the other, prints a line for each, and counts failures.
type checks struct{ failed int }

func (c *checks) run(name string, check func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*checkTimeout)
	defer cancel()
	err := check(ctx)
	if err == nil {
		fmt.Println("ok", name)
		return
	}
	c.failed++
	text := strings.Join(strings.Fields(err.Error()), " ")
	fmt.Printf("FAILED %s: %s\n", name, text[:min(len(text), maxLength)])
}

func equal(what string, got, want any) error {
	if reflect.DeepEqual(got, want) {
		return nil
	}
	return fmt.Errorf("%s: got %v, want %v", what, got, want)
}

// eventually calls ask until it returns true.
func eventually(what string, ask func() bool) error {
	for deadline := time.Now().Add(checkTimeout); !ask(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v: %s", checkTimeout, what)
		}
	}
	return nil
}
