package customers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// TestRound drives a vehicle from depot D past a fuel station F and deliveries E1, E2 and so on back to its depot, line by line, and prints
// what its deliveries learn. A line is a time and
//
//	forecast STOP...        the stops ahead, each expected half an hour later; a stop is its sequence and id, 2:E1
//	halt STOP [LEFT]        the vehicle has arrived, and left
//	not_seen STOP           the stop lies behind the first fix
//	fix                     a fix that tells of no stop
//	wait                    others send fixes
func TestRound(t *testing.T) {
	datadriven.Walk(t, "testdata/round", func(t *testing.T, path string) {
		var round Round
		var signal Signal
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "anew" {
				round, signal = Round{}, Signal{}
			}
			var out strings.Builder
			for line := range strings.Lines(d.Input) {
				words := strings.Fields(line)
				at, verb, args := clockTime(t, words[0]), words[1], words[2:]
				var events, silent, heard []Event
				if verb == "wait" {
					signal, silent = signal.Until(at, round)
				} else {
					signal, silent, heard = signal.Hear(at, round)
				}
				switch verb {
				case "forecast":
					round, events = round.Forecast(forecast(t, at, args))
				case "halt", "not_seen":
					round, events = round.Visit(visitOf(t, at, fleet.How(verb), args), at)
				}
				tellEvents(&out, slices.Concat(silent, events, heard))
			}
			return out.String()
		})
	})
}

func forecast(t *testing.T, at fleet.Instant, stops []string) fleet.Forecast {
	f := fleet.Forecast{Run: fleet.Run{Vehicle: "V1", Trip: "T1", Day: "20260105"}, Instant: at}
	for _, text := range stops {
		sequence, id := stopOf(t, text)
		f.Stops = append(f.Stops, fleet.Expected{Sequence: sequence, Stop: id, Arrives: at + 30*minute, Delivery: isDelivery(id)})
	}
	return f
}

func visitOf(t *testing.T, at fleet.Instant, how fleet.How, args []string) fleet.Visit {
	sequence, id := stopOf(t, args[0])
	v := fleet.Visit{Run: fleet.Run{Vehicle: "V1", Trip: "T1", Day: "20260105"}, Sequence: sequence, Stop: id, How: how, High: at}
	if how == "halt" {
		v.How, v.Arrived = fleet.ByHalt, at
	}
	if len(args) > 1 {
		v.Left = clockTime(t, args[1])
	}
	if isDelivery(id) {
		v.Promise = &fleet.Promise{}
	}
	return v
}

func isDelivery(id string) bool { return strings.HasPrefix(id, "E") }

func stopOf(t *testing.T, text string) (sequence int, id string) {
	t.Helper()
	if _, err := fmt.Sscanf(strings.Replace(text, ":", " ", 1), "%d %s", &sequence, &id); err != nil {
		t.Fatal(err)
	}
	return sequence, id
}

func tellEvents(out *strings.Builder, events []Event) {
	for _, e := range events {
		fmt.Fprintf(out, "%s %s: %s", clockText(e.At), e.Delivery, e.Kind)
		if e.Started {
			fmt.Fprint(out, ", started")
		}
		if e.Next {
			fmt.Fprint(out, ", next")
		}
		if e.Later != 0 {
			fmt.Fprintf(out, " at %s", clockText(e.Later))
		}
		if e.Last != 0 {
			fmt.Fprintf(out, " since %s", clockText(e.Last))
		}
		fmt.Fprintln(out)
	}
	if len(events) == 0 {
		fmt.Fprintln(out, "-")
	}
}
