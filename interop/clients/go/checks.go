package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"
)

const (
	patience  = 30 * time.Second // for what must come true sooner or later
	maxLength = 500              // of what is printed of an error
)

// checks runs one after the other, prints a line for each, and counts what failed.
type checks struct{ failed int }

func (c *checks) run(name string, check func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
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

// eventually asks until the answer is yes.
func eventually(what string, ask func() bool) error {
	for deadline := time.Now().Add(patience); !ask(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v: %s", patience, what)
		}
	}
	return nil
}
