package freight

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// TestLoad runs scripts with two commands: file NAME writes a file, load tells the plan that the files before it make, or what is wrong
// with them. Its argument zone is that of Files. A name with routes, deliveries or drivers in it says what the file is.
func TestLoad(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		dir, files, loaded := t.TempDir(), Files{}, false
		datadriven.RunTest(t, path, func(t *testing.T, c *datadriven.TestData) string {
			switch c.Cmd {
			case "file":
				if loaded {
					files, loaded = Files{}, false
				}
				return writeFile(t, dir, c, &files)
			case "load":
				var zone string
				if c.MaybeScanArgs(t, "zone", &zone) {
					files.Zone, _ = time.LoadLocation(zone)
				}
				plan, err := Load(files)
				loaded = true
				if err != nil {
					return strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
				}
				return show(plan)
			}
			t.Fatalf("unknown command %s", c.Cmd)
			return ""
		})
	})
}

func writeFile(t *testing.T, dir string, c *datadriven.TestData, files *Files) string {
	t.Helper()
	name := filepath.Join(dir, c.CmdArgs[0].Key)
	switch kind := c.CmdArgs[0].Key; {
	case strings.Contains(kind, "route"):
		files.Routes = name
	case strings.Contains(kind, "deliver"):
		files.Deliveries = name
	default:
		files.Drivers = name
	}
	if c.HasArg("missing") {
		return ""
	}
	content := strings.NewReplacer("<bom>", "\ufeff").Replace(c.Input)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return ""
}

// show prints a plan with times in UTC.
func show(plan Plan) string {
	var b strings.Builder
	for _, trip := range plan.Trips {
		fmt.Fprintf(&b, "trip %s day %s zone %s: %d points, %.0f m, corridor %.0f, %d yards\n",
			trip.ID, trip.Day, trip.Zone, len(trip.Shape), trip.Shape.Length(), trip.Corridor, len(trip.Yards))
		for _, s := range trip.Stops {
			fmt.Fprintf(&b, "  %d %s %q at %.0f m", s.Sequence, s.ID, s.Name, s.Along)
			if s.Radius != 0 {
				fmt.Fprintf(&b, ", radius %.0f", s.Radius)
			}
			if s.OffLine {
				b.WriteString(", off the line")
			}
			if s.Promise != nil {
				fmt.Fprintf(&b, ", promised %s", span(s.Promise.From, s.Promise.To))
			}
			b.WriteByte('\n')
		}
	}
	for _, vehicle := range slices.Sorted(maps.Keys(plan.Assignments)) {
		fmt.Fprintf(&b, "vehicle %s\n", vehicle)
		for _, d := range plan.Assignments[vehicle].Drives {
			fmt.Fprintf(&b, "  %s trip %q day %q driver %q\n", span(d.From, d.To), d.Trip, d.Day, d.Driver)
		}
	}
	for _, d := range plan.Deliveries {
		fmt.Fprintf(&b, "delivery %d of %s: %s for %q", d.Order, d.Trip, d.ID, d.Customer)
		if d.MinDwell != 0 {
			fmt.Fprintf(&b, ", at least %.0f s", d.MinDwell)
		}
		b.WriteByte('\n')
	}
	for _, id := range plan.Idle {
		fmt.Fprintf(&b, "nobody drives %s\n", id)
	}
	return b.String()
}

func span(from, to fleet.Instant) string {
	const format = "01-02 15:04"
	if from == to {
		return from.Time().Format(format)
	}
	return from.Time().Format(format) + " to " + to.Time().Format(format)
}

// TestTimetables looks up a route with colons, whose trips of two days have one key in topic viagens.
func TestTimetables(t *testing.T) {
	line := fleet.Shape{{-43.20, -22.90, 0}, {-43.19, -22.90, 1024}}
	trip := func(day string) Trip {
		return Trip{&fleet.Trip{ID: "a:b:c@" + day, Zone: "UTC", Shape: line, Stops: []fleet.Stop{{ID: day}}, Untimed: true}, day}
	}
	plan := Plan{Trips: []Trip{trip("20260302"), trip("20260303")}}.Timetables()
	for _, day := range []string{"20260302", "20260303"} {
		found := plan.On(fleet.RunFix{Position: fleet.Position{Trip: "a:b:c@" + day, Day: day}})
		if !found.Known() || found.Trip.Stops[0].ID != day {
			t.Errorf("on %s there is %+v", day, found)
		}
	}
}
