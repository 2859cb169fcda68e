package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// someFleet has a vehicle on time, one that is late, one off its route, and one that nothing is known of but its speed.
func someFleet() *board {
	b := newBoard("America/Maceio", "127.0.0.1:9092")
	late, onTime, early, now := 245.0, 20.0, -150.0, fleet.Seconds(1768561660)
	b.speed("onibus-2", now.Time(), fleet.Speed{Mean: 10})
	b.deviation(fleet.Deviation{Vehicle: "onibus-2", Route: "1", Instant: now, Distance: 3})
	b.progress(fleet.Progress{Vehicle: "onibus-2", Route: "1", Along: 500, Length: 2000, Delay: &late, Next: &fleet.NextStop{Name: "Praça", Ahead: 120}})
	b.speed("onibus-1", now.Time(), fleet.Speed{Mean: 5})
	b.progress(fleet.Progress{Vehicle: "onibus-1", Route: "7", Along: 1000, Length: 2000, Delay: &onTime})
	b.deviation(fleet.Deviation{Vehicle: "onibus-1", Route: "7", Instant: now, Distance: 150, Episode: &fleet.Episode{Fixes: 2}})
	b.speed("onibus-3", now.Time(), fleet.Speed{Mean: 0})
	b.speed("caminhao-frigorifico-4", now.Time(), fleet.Speed{Mean: 21.5})
	b.progress(fleet.Progress{
		Vehicle: "caminhao-frigorifico-4", Route: "Zona Norte", Along: 31000, Length: 44000, Delay: &early,
		Next: &fleet.NextStop{Name: "Supermercado Bom Preço, Avenida Hermes Fontes, doca 3", Ahead: 1320},
	})
	return b
}

// TestBoard draws tables in terminals of several sizes. No line is longer than the terminal is wide, and the address stands last.
func TestBoard(t *testing.T) {
	datadriven.RunTest(t, "testdata/board", func(t *testing.T, d *datadriven.TestData) string {
		b := newBoard("America/Maceio", "127.0.0.1:9092")
		if !d.HasArg("empty") {
			b = someFleet()
		}
		d.MaybeScanArgs(t, "engine", &b.engine)
		if d.HasArg("cluster") {
			b.address = "kafka-1.example.com:9092,kafka-2.example.com:9092,kafka-3.example.com:9092"
		}
		if d.Cmd == "line" {
			return b.line() + "\n"
		}
		lines, width := 23, 80
		d.MaybeScanArgs(t, "lines", &lines)
		d.MaybeScanArgs(t, "columns", &width)
		table := b.table(lines, width)
		if n := strings.Count(table, "\n"); n > lines {
			t.Errorf("%s: %d lines for a terminal of %d", d.Pos, n, lines)
		}
		for line := range strings.Lines(table) {
			if n := utf8.RuneCountInString(line) - 1; n > width {
				t.Errorf("%s: a line has %d characters, and the terminal %d", d.Pos, n, width)
			}
		}
		return table
	})
}
