package recording_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

// sixOClock is when the trip of feedOf starts, Unix seconds.
const sixOClock = 1768474800

// feedOf is a feed of one trip that calls at 06:00, 06:02 and so on at stops A, B and so on.
func feedOf(stops []orb.Point, shape []orb.Point) fstest.MapFS {
	var stop, call, point strings.Builder
	for i, p := range stops {
		id := string(rune('A' + i))
		fmt.Fprintf(&stop, "%s,Stop %s,%v,%v\n", id, id, p.Lat(), p.Lon())
		fmt.Fprintf(&call, "t1,06:%02d:00,06:%02d:00,%s,%d\n", 2*i, 2*i, id, i+1)
	}
	for i, p := range shape {
		fmt.Fprintf(&point, "sh,%v,%v,%d\n", p.Lat(), p.Lon(), i)
	}
	files := map[string]string{
		"agency.txt":     "agency_id,agency_name,agency_url,agency_timezone\nx,X,http://x,America/New_York\n",
		"routes.txt":     "route_id,agency_id,route_short_name,route_type\nr,x,1,3\n",
		"trips.txt":      "route_id,service_id,trip_id,shape_id\nr,s,t1,sh\n",
		"stops.txt":      "stop_id,stop_name,stop_lat,stop_lon\n" + stop.String(),
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + call.String(),
		"shapes.txt":     "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + point.String(),
	}
	if shape == nil {
		delete(files, "shapes.txt")
	}
	feed := fstest.MapFS{}
	for name, text := range files {
		feed[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return feed
}

// driven are rows of a bus that drives over points at even speed, one every 20 s.
func driven(from int64, start string, seconds int, over ...orb.Point) string {
	var rows strings.Builder
	length := 0.0
	for i := 1; i < len(over); i++ {
		length += fleet.Haversine(over[i-1], over[i])
	}
	for s := 0; s <= seconds; s += 20 {
		left := length * float64(s) / float64(seconds)
		at := over[len(over)-1]
		for i := 1; i < len(over); i++ {
			way := fleet.Haversine(over[i-1], over[i])
			if left <= way {
				part := left / way
				at = orb.Point{over[i-1][0] + part*(over[i][0]-over[i-1][0]), over[i-1][1] + part*(over[i][1]-over[i-1][1])}
				break
			}
			left -= way
		}
		fmt.Fprintf(&rows, "v1,%d,%.6f,%.6f,9.3,t1,20260115,%s\n", from+int64(s), at.Lat(), at.Lon(), start)
	}
	return rows.String()
}

// arrivalsOf are the arrivals of a recording: each stop's sequence, how it was reached, and the delay in whole seconds.
func arrivalsOf(t *testing.T, feed fstest.MapFS, rows string) string {
	t.Helper()
	read, err := gtfs.Read(feed)
	if err != nil {
		t.Fatal(err)
	}
	header := "vehicle_id,vehicle_timestamp,lat,lon,speed_mps,trip_id,trip_start_date,trip_start_time\n"
	all, err := recording.ReadAll("positions.csv", strings.NewReader(header+rows), recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var positions []fleet.Position
	for _, row := range all {
		if row.Err != nil {
			t.Fatal(row.Err)
		}
		positions = append(positions, row.Position)
	}
	times := followStops(t, positions, read.Plan(read.From))
	var text []string
	for _, v := range times.inOrder() {
		if v.Arrived != 0 {
			text = append(text, fmt.Sprintf("%d %s %+.0f", v.Sequence, v.How, v.Arrived.Since(v.Due)))
		}
	}
	return strings.Join(text, ", ")
}

// north is a line of four stops, 1.1 km apart; square goes around a block and ends where it starts.
var (
	north  = []orb.Point{{10, 0}, {10, 0.01}, {10, 0.02}, {10, 0.03}}
	square = []orb.Point{{10, 0}, {10, 0.01}, {10.01, 0.01}, {10.01, 0}, {10, 0}}
)

func TestCases(t *testing.T) {
	loop := append([]orb.Point{}, square...)
	loop[4] = orb.Point{10.0001, 0} // the last stop is 11 m before the first
	var early string
	for s := int64(0); s < 780; s += 30 {
		early += fmt.Sprintf("v1,%d,0,10,0,t1,20260115,\n", sixOClock-720+s-30)
	}
	short := append([]orb.Point{}, north...)
	short[3] = orb.Point{10, 0.02975}

	frequent := feedOf(north, north)
	frequent["frequencies.txt"] = &fstest.MapFile{Data: []byte("trip_id,start_time,end_time,headway_secs,exact_times\nt1,06:00:00,22:00:00,600,1\n")}

	passed := "2 pass +0, 3 pass +0, 4 pass +0"
	for _, test := range []struct {
		name string
		feed fstest.MapFS
		rows string
		want string
	}{
		{
			"a vehicle that waits where its round also ends has not arrived there", feedOf(loop, square),
			early + driven(sixOClock+60, "", 360, square...), "2 pass +30, 3 pass +0, 4 pass -30, 5 pass -61",
		},
		{
			"a run that starts late where its round also ends has not ended", feedOf(loop, square),
			driven(sixOClock+300, "", 360, square...), "2 pass +270, 3 pass +240, 4 pass +210, 5 pass +179",
		},
		{"a last stop at the very end is reached", feedOf(north, north), driven(sixOClock, "", 360, north...), passed},
		{
			"a vehicle whose last fix is 28 m before the last stop has arrived", feedOf(north, north),
			driven(sixOClock, "", 360, short...), "2 pass +1, 3 pass +2, 4 radius +0",
		},
		{"a feed without shapes has its stops joined", feedOf(north, nil), driven(sixOClock, "", 360, north...), passed},
		{
			"a run of frequencies.txt is planned from its start", frequent,
			driven(sixOClock+4*3600, "10:00:00", 360, north...) + driven(sixOClock+5*3600, "11:00:00", 360, north...), passed + ", " + passed,
		},
		{"a run of frequencies.txt without a start is unknown", frequent, driven(sixOClock, "", 360, north...), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := arrivalsOf(t, test.feed, test.rows); got != test.want {
				t.Errorf("arrivals are\n%s, want\n%s", got, test.want)
			}
		})
	}
}
