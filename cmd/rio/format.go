package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A choice is a flag with a fixed set of values.
type choice struct {
	value string
	of    []string
}

// choose adds a flag with a fixed set of values; the first is the default.
func choose(flags *pflag.FlagSet, name, usage string, of ...string) *choice {
	c := &choice{of[0], of}
	flags.Var(c, name, usage+": "+strings.Join(of, ", "))
	return c
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return "word" }

func (c *choice) Set(value string) error {
	if !slices.Contains(c.of, value) {
		return fmt.Errorf("want one of: %s", strings.Join(c.of, ", "))
	}
	c.value = value
	return nil
}
