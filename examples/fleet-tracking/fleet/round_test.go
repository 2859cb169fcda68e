package fleet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// TestRound runs scripts about freight trips. Places are metres north and east of where the trip begins. Command trip plans it, one
// thing a line: line (points), stop, depot, yard, corridor. Command fixes sends fixes, one a line: second, north, east, and perhaps
// speed=, and prints what each tells.
func TestRound(t *testing.T) {
	datadriven.Walk(t, "testdata/round", func(t *testing.T, path string) {
		var trip *fleet.Trip
		var tracker fleet.VisitTracker
		datadriven.RunTest(t, path, func(t *testing.T, c *datadriven.TestData) string {
			switch c.Cmd {
			case "trip":
				trip, tracker = freightTrip(t, c.Input), fleet.VisitTracker{}
				return ""
			case "fixes":
				var told strings.Builder
				for line := range strings.Lines(c.Input) {
					tracker = send(t, &told, trip, tracker, strings.Fields(line))
				}
				return told.String()
			}
			t.Fatalf("unknown command %s", c.Cmd)
			return ""
		})
	})
}

func freightTrip(t *testing.T, input string) *fleet.Trip {
	t.Helper()
	trip := &fleet.Trip{ID: "r1", Zone: "UTC", Untimed: true, Corridor: 250}
	for line := range strings.Lines(input) {
		words := strings.Fields(line)
		switch words[0] {
		case "line":
			at := 0.0
			var before fleet.Vertex
			for i := 1; i+1 < len(words); i += 2 {
				v := fleet.Vertex{east(number(t, words[i+1])), north(number(t, words[i]))}
				if i > 1 {
					at += fleet.Haversine(before.Point(), v.Point())
				}
				v[2] = at
				trip.Shape, before = append(trip.Shape, v), v
			}
		case "corridor":
			trip.Corridor = number(t, words[1])
		case "yard":
			trip.Yards = append(trip.Yards, [2]float64{east(number(t, words[2])), north(number(t, words[1]))})
		case "stop", "depot": // id, north, east, metres along the line or "off" with them
			stop := fleet.Stop{Sequence: len(trip.Stops), ID: words[1], Lat: north(number(t, words[2])), Lon: east(number(t, words[3])), Along: number(t, words[4])}
			stop.OffLine = len(words) > 5 && words[5] == "off"
			if words[0] == "depot" {
				stop.Radius = 200
			} else {
				stop.Promise = &fleet.Promise{}
			}
			trip.Stops = append(trip.Stops, stop)
		default:
			t.Fatalf("unknown word %s", words[0])
		}
	}
	return trip
}

// send adds a fix to the tracker, as it is after being kept in a store, and writes what it tells.
func send(t *testing.T, told *strings.Builder, trip *fleet.Trip, tracker fleet.VisitTracker, words []string) fleet.VisitTracker {
	t.Helper()
	state, err := json.Marshal(tracker)
	if err != nil {
		t.Fatal(err)
	}
	var kept fleet.VisitTracker
	if err := json.Unmarshal(state, &kept); err != nil {
		t.Fatal(err)
	}
	lat, lon := north(number(t, words[1])), east(number(t, words[2]))
	p := fleet.Position{Vehicle: "v", Trip: trip.ID, Day: "19700112", Instant: fleet.Seconds(begin + int64(number(t, words[0]))), Lat: &lat, Lon: &lon}
	if len(words) > 3 {
		speed := number(t, strings.TrimPrefix(words[3], "speed="))
		p.Speed = &speed
	}
	next, stops, err := kept.Add(fleet.Planned{Position: p, Trip: trip})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(kept); string(again) != string(state) {
		t.Errorf("Add changed the tracker that it was called on from %s to %s", state, again)
	}
	for _, v := range stops.Visits {
		fmt.Fprintf(told, "%s: %s %s", words[0], v.Stop, v.How)
		if v.Arrived != 0 {
			fmt.Fprintf(told, ", arrived %v", second(v.Arrived))
		} else if v.Low != 0 {
			fmt.Fprintf(told, " between %v and %v", second(v.Low), second(v.High))
		}
		if v.Left != 0 {
			fmt.Fprintf(told, ", left %v", second(v.Left))
		}
		told.WriteByte('\n')
	}
	for _, l := range stops.Legs {
		fmt.Fprintf(told, "%s: leg from %s to %s in %v s", words[0], l.From, l.To, l.Driven)
		if l.DrivenMetres != nil {
			fmt.Fprintf(told, ", %.0f m", *l.DrivenMetres)
		}
		told.WriteByte('\n')
	}
	if d := stops.Detour; d != nil {
		fmt.Fprintf(told, "%s: detour of %d fixes from %v to %v, at most %.0f m, left at %.0f m", words[0], d.Fixes, second(d.First), second(d.Last), d.Max, d.Left.Along)
		if d.Back != nil {
			fmt.Fprintf(told, ", back at %.0f m", d.Back.Along)
		}
		if d.Extra != nil {
			fmt.Fprintf(told, ", %.0f m more than the line", *d.Extra)
		}
		told.WriteByte('\n')
	}
	if p := stops.Progress; p != nil && p.Next != nil {
		fmt.Fprintf(told, "%s: at %.0f of %.0f m, next %s in %.0f m\n", words[0], p.Along, p.Length, p.Next.Stop, p.Next.Ahead)
	}
	return next
}

// begin is when the seconds of a script begin.
const begin = 1_000_000

func second(at fleet.Instant) float64 { return at.Since(fleet.Seconds(begin)) }

func number(t *testing.T, word string) float64 {
	t.Helper()
	var x float64
	if _, err := fmt.Sscan(word, &x); err != nil {
		t.Fatalf("%q: %v", word, err)
	}
	return x
}

// north and east are degrees of metres near the equator.
func north(metres float64) float64 { return metres * metre }
func east(metres float64) float64  { return metres * metre }
