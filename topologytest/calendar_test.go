package topologytest_test

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// Days begin at the first instant from which no earlier date comes again, whatever the clocks do at midnight.
func TestCalendarDays(t *testing.T) {
	for _, c := range []struct {
		zone, day, begins string
		hours             int
	}{
		{"America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25}, // the clocks go back at midnight
		{"America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z", 24},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23}, // there is no midnight
		{"America/Havana", "2026-03-08", "2026-03-08T05:00:00Z", 23},    // there is no midnight
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25},    // midnight comes twice
		{"Europe/Lisbon", "2026-03-29", "2026-03-29T00:00:00Z", 23},
		{"Europe/Lisbon", "2026-10-25", "2026-10-24T23:00:00Z", 25},
		{"Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24},
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24}, // the 30th does not exist
		{"America/St_Johns", "2006-10-28", "2006-10-28T02:30:00Z", 25 /* and a minute of the next date */},
		{"UTC", "1970-01-01", "1970-01-01T00:00:00Z", 24},
	} {
		zone := load(t, c.zone)
		noon, err := time.ParseInLocation("2006-01-02 15:04", c.day+" 12:00", zone)
		if err != nil {
			t.Fatal(err)
		}
		begins, err := time.Parse(time.RFC3339, c.begins)
		if err != nil {
			t.Fatal(err)
		}
		ends := begins.Add(time.Duration(c.hours) * time.Hour)
		if c.zone == "America/St_Johns" {
			ends = time.Date(2006, 10, 29, 3, 30, 0, 0, time.UTC) // 00:00 the second time; before, 00:01 became 23:01
		}
		for _, at := range []time.Time{begins, noon, ends.Add(-time.Millisecond)} {
			if at.Before(time.UnixMilli(0)) {
				continue
			}
			if got := windowAt(t, topology.Daily(zone), at); !got.Start.Equal(begins) || !got.End.Equal(ends) {
				t.Errorf("%v in %s lies in %v to %v, want %v to %v", at, c.zone, got.Start, got.End, begins, ends)
			}
		}
	}
}

// Weeks and months begin with their first day.
func TestCalendarPeriods(t *testing.T) {
	zone := load(t, "America/Sao_Paulo")
	at := time.Date(2018, 11, 7, 15, 0, 0, 0, zone) // a Wednesday
	for windows, want := range map[topology.Windows][2]time.Time{
		topology.Weekly(zone, time.Sunday):    {time.Date(2018, 11, 4, 1, 0, 0, 0, zone), time.Date(2018, 11, 11, 0, 0, 0, 0, zone)},
		topology.Weekly(zone, time.Wednesday): {time.Date(2018, 11, 7, 0, 0, 0, 0, zone), time.Date(2018, 11, 14, 0, 0, 0, 0, zone)},
		topology.Weekly(zone, time.Thursday):  {time.Date(2018, 11, 1, 0, 0, 0, 0, zone), time.Date(2018, 11, 8, 0, 0, 0, 0, zone)},
		topology.Monthly(zone):                {time.Date(2018, 11, 1, 0, 0, 0, 0, zone), time.Date(2018, 12, 1, 0, 0, 0, 0, zone)},
	} {
		if got := windowAt(t, windows, at); !got.Start.Equal(want[0]) || !got.End.Equal(want[1]) {
			t.Errorf("%v: %v lies in %v to %v, want %v to %v", windows, at, got.Start, got.End, want[0], want[1])
		}
	}
}

// Days follow each other without gaps, and no date comes twice.
func TestCalendarDaysAreAdjacent(t *testing.T) {
	for _, name := range []string{"America/Sao_Paulo", "America/Havana", "Pacific/Apia", "America/St_Johns", "Asia/Tehran", "Africa/Cairo"} {
		zone := load(t, name)
		keys := topology.WindowCodec(topology.Daily(zone), codec.String)
		start, date := windowAt(t, topology.Daily(zone), time.Date(1999, 6, 1, 12, 0, 0, 0, time.UTC)).Start, ""
		for start.Year() < 2030 {
			data, err := keys.Append(nil, codec.WindowKey[string]{Start: start})
			if err != nil {
				t.Fatal(err)
			}
			key, err := keys.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			next := start.In(zone).Format(time.DateOnly)
			if length := key.End.Sub(start); next <= date || length < 22*time.Hour || length > 26*time.Hour {
				t.Fatalf("%s: the day after %s is %s, from %v to %v", name, date, next, start, key.End)
			}
			start, date = key.End, next
		}
	}
}

func load(t *testing.T, zone string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// windowAt returns the window of a record.
func windowAt(t *testing.T, windows topology.Windows, at time.Time) codec.WindowKey[string] {
	t.Helper()
	b := topology.NewBuilder("calendar")
	out := topology.NewTopic("out", topology.WindowCodec(windows, codec.String), codec.Int64)
	topology.Count(topology.Window(topology.From(b, texts("in")), windows), "counts").To(out)
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d, err := topologytest.New(top, topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "v", Timestamp: at.UnixMilli()}); err != nil {
		t.Fatal(err)
	}
	outputs := d.Outputs()
	key, err := topology.WindowCodec(windows, codec.String).Decode(outputs[slices.IndexFunc(outputs, func(o topologytest.Output) bool { return o.Topic == "out" })].Key)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
