package main

import (
	"testing"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

func totals(t *testing.T) *topology.Topology {
	t.Helper()
	top, err := Totals()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestTotals(t *testing.T) {
	topologytest.Run(t, "testdata/totals", totals(t), topologytest.Config{})
}

func TestBrokenSales(t *testing.T) {
	cfg := topologytest.Config{}
	topologytest.Run(t, "testdata/broken-fail", totals(t), cfg)

	cfg.Policies.Decode.Action = processor.Skip
	topologytest.Run(t, "testdata/broken-skip", totals(t), cfg)

	cfg.Policies = processor.Policies{Decode: processor.Policy{Action: processor.DeadLetter}, DeadLetters: deadLetters}
	topologytest.Run(t, "testdata/broken-dead-letter", totals(t), cfg)
}
