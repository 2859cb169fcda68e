package gtfs_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
)

// small is a feed of one trip past midnight, as an agency may write it: a byte order mark, columns in any order, a stop
// without times, rows out of sequence.
func small() map[string]string {
	return map[string]string{
		"agency.txt": "\ufeffagency_name,agency_timezone\nViação,America/Maceio\n",
		"routes.txt": "route_short_name,route_id\nLinha 1,l1\n",
		"stops.txt":  "stop_id,stop_name,stop_lat,stop_lon\na,\"Praça, Centro\",-10.90,-37.05\nb,Mercado,-10.91,-37.05\nc,Orla,-10.93,-37.05\n",
		"trips.txt":  "trip_id,route_id,shape_id\nt:1:x,l1,s\nt:2:x,l1,\n",
		"shapes.txt": "shape_id,shape_pt_sequence,shape_pt_lat,shape_pt_lon\ns,2,-10.93,-37.05\ns,1,-10.90,-37.05\n",
		"stop_times.txt": "trip_id,stop_sequence,stop_id,arrival_time,departure_time\n" +
			"t:1:x,30,c,24:30:00,24:30:00\nt:1:x,10,a,23:59:00,24:00:00\nt:1:x,20,b,,\n",
	}
}

func read(files map[string]string) (*gtfs.Feed, error) {
	feed := fstest.MapFS{}
	for name, text := range files {
		feed[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return gtfs.Read(feed)
}

func TestTimetables(t *testing.T) {
	feed, err := read(small())
	if err != nil {
		t.Fatal(err)
	}
	plan := feed.Plan("")
	trips := plan.Trips()
	if _, ok := plan.Timetables["t:1"]; !ok || len(trips) != 2 || trips[0].ID != "t:1:x" {
		t.Fatalf("the plan is %+v", plan)
	}
	trip := trips[0]
	if trip.Zone != "America/Maceio" || len(trip.Shape) != 2 || math.Abs(trip.Shape.Length()-3335.8) > 0.1 {
		t.Errorf("trip is %+v", trip)
	}
	third := trip.Shape.Length() / 3
	for i, want := range []struct {
		sequence, due int
		along         float64
		name          string
	}{
		{10, 23*3600 + 59*60, 0, "Praça, Centro"},
		{20, 24*3600 + 10*60, third, "Mercado"},
		{30, 24*3600 + 30*60, 3 * third, "Orla"},
	} {
		s := trip.Stops[i]
		if s.Sequence != want.sequence || s.Due != want.due || math.Abs(s.Along-want.along) > 0.1 || s.Name != want.name {
			t.Errorf("stop %d is %+v, want %+v", i, s, want)
		}
	}
	if other := trips[1]; len(other.Shape) != 0 || len(other.Stops) != 0 {
		t.Errorf("the trip without shape and stops is %+v", other)
	}
}

func TestShapesAreOptional(t *testing.T) {
	files := small()
	delete(files, "shapes.txt")
	feed, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	if trip := feed.Plan("").Trips()[0]; len(trip.Shape) != 0 || len(trip.Stops) != 3 || trip.Stops[1].Due != 87300 {
		t.Errorf("trip is %+v; the stop between is due half way in time", trip)
	}
}

// The stops of a trip without a shape lie on straight lines from one to the next; every trip knows where its stops are.
func TestStopsWithoutShape(t *testing.T) {
	files := small()
	delete(files, "shapes.txt")
	feed, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	trip := feed.Plan("").Trips()[0]
	third := fleet.Haversine(orb.Point{-37.05, -10.90}, orb.Point{-37.05, -10.91})
	for i, want := range []float64{0, third, 3 * third} {
		stop := trip.Stops[i]
		if math.Abs(stop.Along-want) > 0.1 || stop.Point() != feed.Stops[stop.ID].Point {
			t.Errorf("stop %d is %+v, want %.0f m along", i, stop, want)
		}
	}
	if line := trip.Line(); len(line) != 3 || math.Abs(line.Length()-3*third) > 0.1 {
		t.Errorf("line is %v", line)
	}
}

func TestFrequencies(t *testing.T) {
	for text, want := range map[string]fleet.Frequency{
		"":                               "",
		"trip_id\n":                      "",
		"trip_id\nt:1:x\n":               fleet.Headway,
		"trip_id,exact_times\nt:1:x,0\n": fleet.Headway,
		"trip_id,exact_times\nt:1:x,1\n": fleet.Exact,
	} {
		files := small()
		if text != "" {
			files["frequencies.txt"] = text
		}
		feed, err := read(files)
		if err != nil {
			t.Fatal(err)
		}
		if got := feed.Plan("").Trips()[0].Frequency; got != want {
			t.Errorf("frequencies.txt %q makes %q, want %q", text, got, want)
		}
	}
}

// A feed that does not say which calls are timepoints means all but the last.
func TestTimepoints(t *testing.T) {
	marked := strings.NewReplacer("departure_time\n", "departure_time,timepoint\n", "24:30:00\n", "24:30:00,1\n", "24:00:00\n", "24:00:00,\n", "b,,\n", "b,,,0\n")
	for _, test := range []struct {
		name, calls string
		want        []bool
	}{
		{"no column", small()["stop_times.txt"], []bool{true, true, false}},
		{"a column", marked.Replace(small()["stop_times.txt"]), []bool{true, false, true}},
	} {
		files := small()
		files["stop_times.txt"] = test.calls
		feed, err := read(files)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range test.want {
			if got := feed.Plan("").Trips()[0].Stops[i].Timepoint; got != want {
				t.Errorf("%s: call %d is a timepoint: %v, want %v", test.name, i, got, want)
			}
		}
	}
}

// All mistakes of a feed are told at once, each with its file and line.
func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		name, file, text string
		want             []string
	}{
		{"no file", "stops.txt", "", []string{"stops.txt", "header"}},
		{"columns", "trips.txt", "trip,route_id\n", []string{"trips.txt has no column trip_id; it has trip, route_id"}},
		{"zone", "agency.txt", "agency_timezone\nAracaju\n", []string{`agency.txt line 2: agency_timezone "Aracaju" is not an IANA time zone`}},
		{"values", "shapes.txt", "shape_id,shape_pt_sequence,shape_pt_lat,shape_pt_lon\ns,1,NaN,1\ns,-2,1,east\n", []string{
			`shapes.txt line 2: shape_pt_lat "NaN" is not a latitude from -90 to 90`,
			`shapes.txt line 3: shape_pt_sequence "-2" is not a number from 0 upwards`,
			`shapes.txt line 3: shape_pt_lon "east" is not a longitude from -180 to 180`,
		}},
		{
			"time", "stop_times.txt", "trip_id,stop_sequence,stop_id,arrival_time,departure_time\nt:1:x,1,a,8:60:00,\n",
			[]string{`stop_times.txt line 2: arrival_time "8:60:00" is not a time H:MM:SS`},
		},
		{
			"unknown stop", "stop_times.txt", "trip_id,stop_sequence,stop_id,arrival_time,departure_time\nt:1:x,1,z,8:00:00,\n",
			[]string{`trip "t:1:x" stops at "z", which is not in stops.txt`},
		},
		{
			"first time", "stop_times.txt", "trip_id,stop_sequence,stop_id,arrival_time,departure_time\nt:1:x,1,a,,\nt:1:x,2,b,8:00:00,\n",
			[]string{`trip "t:1:x" needs a time at its first and last stop`},
		},
		{"twice", "trips.txt", "trip_id,route_id\nt,l1\nt,l1\n", []string{`trip_id "t" twice`}},
		{"ragged", "routes.txt", "route_id\nl1,2\n", []string{"routes.txt line 2: 2 fields, but the header has 1"}},
	} {
		files := small()
		files[test.file] = test.text
		_, err := read(files)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error does not say %q:\n%v", test.name, want, err)
			}
		}
	}
}

// Kingston publishes the distances of its stops; taken away, they must come out again, as a part of the whole way: the
// agency's own lengths are a little longer, because its shapes cut corners.
func TestKingstonWithoutDistances(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for a second")
	}
	dir := recordingtest.Dir(t, "kingston")
	feed, err := gtfs.Read(os.DirFS(filepath.Join(dir, "gtfs")))
	if err != nil {
		t.Fatal(err)
	}
	published := feed.Plan("").Trips()
	for _, points := range feed.Shapes {
		for i := range points {
			points[i].HasAlong = false
		}
	}
	near, all := 0, 0
	for i, got := range feed.Plan("").Trips() {
		want := published[i]
		scale := want.Shape.Length() / got.Shape.Length()
		for j, stop := range got.Stops {
			all++
			if math.Abs(stop.Along*scale-want.Stops[j].Along) < 50 {
				near++
			}
		}
	}
	t.Logf("%d of %d stops within 50 m", near, all)
	if near < all*99/100 {
		t.Errorf("%d of %d stops are set down within 50 m of where the agency has them", near, all)
	}
}
