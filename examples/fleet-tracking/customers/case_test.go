package customers

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// TestCase tells one delivery what happens, line by line, and prints what its customer learns. A line is a time and
//
//	plan FROM-TO [TRIP]     the delivery is planned, on trip T1 if the line names no other
//	leaves                  the run leaves its first stop
//	next                    the run leaves the stop before
//	expected TIME           a forecast, give or take two minutes
//	visit ARRIVED [LEFT]    the run is at the delivery; gap LOW [LEFT] if nobody knows since when
//	passed                  the run is at a later delivery
//	silent, heard           no fix for ten minutes, and one again
//	delivered, failed WHY   the driver's record
//	wait                    nothing, but time passes
//
// The output has each status that is written, and each message with its number.
func TestCase(t *testing.T) {
	datadriven.Walk(t, "testdata/case", func(t *testing.T, path string) {
		var c Case
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "anew" {
				c = Case{}
			}
			var out strings.Builder
			for line := range strings.Lines(d.Input) {
				after, told := happens(t, c, line)
				if again, _ := happens(t, c, line); !reflect.DeepEqual(again, after) {
					t.Errorf("%s: applying %q modified the case in place", d.Pos, line)
				}
				tell(&out, told)
				c = after
			}
			return out.String()
		})
	})
}

func happens(t *testing.T, c Case, line string) (Case, []Told) {
	t.Helper()
	words := strings.Fields(line)
	at, verb, args := clockTime(t, words[0]), words[1], words[2:]
	event := Event{Delivery: "E1", At: at, Run: fleet.Run{Vehicle: "V1", Trip: "T1", Day: "20260105"}}
	argument := func(i int) fleet.Instant {
		if i >= len(args) {
			return 0
		}
		return clockTime(t, args[i])
	}
	switch verb {
	case "plan":
		from, to, _ := strings.Cut(args[0], "-")
		plan := fleet.Delivery{ID: "E1", Customer: "Ana", Trip: "T1", Day: "20260105", From: clockTime(t, from), To: clockTime(t, to)}
		if len(args) > 1 {
			plan.Trip = args[1]
		}
		event = planned(plan)
	case "leaves":
		event.Kind, event.Started = Advance, true
	case "next":
		event.Kind, event.Started, event.Next = Advance, true, true
	case "expected":
		arrives := argument(0)
		event.Kind, event.Started, event.Next = Forecast, c.Started, c.Next
		event.Expects = &fleet.Expected{Arrives: arrives, Low: arrives - 2*minute, High: arrives + 2*minute}
	case "visit":
		event.Kind, event.Visit = Visit, &fleet.Visit{How: fleet.ByHalt, High: argument(0), Arrived: argument(0), Left: argument(1)}
	case "gap":
		event.Kind, event.Visit = Visit, &fleet.Visit{How: fleet.Gap, Low: argument(0), High: at, Left: argument(1)}
	case "passed":
		event.Kind, event.Later = Passed, at
	case "silent":
		event.Kind, event.Last = Silent, at-seconds(silentFor)
	case "heard":
		event.Kind = Heard
	case "delivered":
		event = recorded(fleet.DeliveryRecord{ID: "E1", Instant: at})[0]
	case "failed":
		event = recorded(fleet.DeliveryRecord{ID: "E1", Instant: at, Failed: true, Reason: strings.Join(args, " ")})[0]
	case "wait":
		return c.Until(at)
	default:
		t.Fatalf("what is %q?", line)
	}
	return c.Add(event)
}

// clockTime is a time H:MM or H:MM:SS of 5 January 2026; D+H:MM is D days later.
func clockTime(t *testing.T, text string) fleet.Instant {
	t.Helper()
	days := 0
	if before, after, ok := strings.Cut(text, "+"); ok {
		fmt.Sscan(before, &days)
		text = after
	}
	layout := "15:04"
	if strings.Count(text, ":") == 2 {
		layout = "15:04:05"
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		t.Fatal(err)
	}
	return fleet.InstantOf(time.Date(2026, 1, 5+days, at.Hour(), at.Minute(), at.Second(), 0, time.UTC))
}

func tell(out *strings.Builder, told []Told) {
	for _, news := range told {
		if news.Forgotten {
			fmt.Fprintln(out, "forgotten")
		}
		if s := news.Status; s != nil {
			fmt.Fprintf(out, "%s %s", clockText(s.At), s.Phase)
			for _, part := range []struct {
				name string
				at   fleet.Instant
			}{{"expected", s.Expected}, {"no signal since", s.NoSignal}, {"arrived", s.Arrived}, {"left", s.Left}} {
				if part.at != 0 {
					fmt.Fprintf(out, ", %s %s", part.name, clockText(part.at))
				}
			}
			for _, part := range []struct {
				name string
				is   bool
			}{{"late", s.Late}, {"in time", s.InTime}, {"recorded", s.Recorded}, {"correction", s.Correction}} {
				if part.is {
					fmt.Fprintf(out, ", %s", part.name)
				}
			}
			if s.LateBy+s.EarlyBy != 0 {
				fmt.Fprintf(out, " by %g s", s.LateBy+s.EarlyBy)
			}
			if s.Reason != "" {
				fmt.Fprintf(out, ": %s", s.Reason)
			}
			fmt.Fprintln(out)
		}
		if m := news.Message; m != nil {
			fmt.Fprintf(out, "   %s at %s: %s\n", m.ID, clockText(m.At), m.English)
		}
	}
	if len(told) == 0 {
		fmt.Fprintln(out, "-")
	}
}

func clockText(at fleet.Instant) string {
	if at == 0 {
		return "before"
	}
	text := at.Time().Format("15:04:05")
	if day := at.Time().Day() - 5; day != 0 || at.Time().Month() != 1 {
		text = at.Time().Format("2 Jan ") + text
	}
	return strings.TrimSuffix(text, ":00")
}
