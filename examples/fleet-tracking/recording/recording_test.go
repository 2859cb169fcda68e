package recording_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

func TestRows(t *testing.T) {
	speed := func(v float64) *float64 { return &v }
	for _, test := range []struct {
		name, text string
		want       []fleet.Position
	}{
		{
			"only what is needed, in another order",
			"lon,extra,lat,vehicle_timestamp,vehicle_id\n-37.05,?,-10.9,100,a\n,?,,101,a\n",
			[]fleet.Position{
				{Vehicle: "a", Lat: -10.9, Lon: -37.05, Instant: 100_000, Arrival: 100_000, Seq: 1},
				{Vehicle: "a", Instant: 101_000, Arrival: 101_000, Seq: 2},
			},
		},
		{
			"metres and seconds",
			"\ufeffseq,feed_timestamp,vehicle_id,route_id,trip_id,trip_start_date,trip_start_time,vehicle_timestamp,lat,lon,speed_mps,bearing,odometer_m\r\n" +
				"7,105,a,l,x:y:z,20260116,12:00:00,100.5,1,2,0.0,90,1000\r\n",
			[]fleet.Position{{
				Vehicle: "a", Route: "l", Trip: "x:y:z", Day: "20260116", Start: "12:00:00", Lat: 1, Lon: 2,
				Speed: speed(0), Bearing: speed(90), Odometer: speed(1000), Instant: 100_500, Arrival: 105_000, Seq: 7,
			}},
		},
		{
			"kilometres and milliseconds",
			"seq,capture_ms,vehicle_id,line,lat,lon,gps_ms,speed_kmh,odometer_km\n1,2500,a,22,1,2,2000,36,1.5\n",
			[]fleet.Position{{
				Vehicle: "a", Route: "22", Lat: 1, Lon: 2, Speed: speed(36 * (1 / 3.6)), Odometer: speed(1500),
				Instant: 2000, Arrival: 2500, Seq: 1,
			}},
		},
	} {
		got, err := recording.ReadAll("posicoes.csv", strings.NewReader(test.text))
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", test.name, got, err, test.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "posicoes.csv is empty: a header line is needed"},
		{"columns", "vehicle_id,latitude,lon\n", "posicoes.csv has no column vehicle_timestamp, lat; it has vehicle_id, latitude, lon"},
		{"number", "vehicle_id,vehicle_timestamp,lat,lon\na,1,2,3\na,1,2,west\n", `posicoes.csv line 3: column lon: "west" is not a number of degrees`},
		{"infinite", "vehicle_id,vehicle_timestamp,lat,lon\na,1,Inf,3\n", `line 2: column lat: "Inf" is not a number of degrees`},
		{"time", "vehicle_id,vehicle_timestamp,lat,lon\na,08:00,2,3\n", `line 2: column vehicle_timestamp: "08:00" is not a time since 1970`},
		{"vehicle", "vehicle_id,vehicle_timestamp,lat,lon\n,1,2,3\n", "line 2: a row needs a vehicle_id and a vehicle_timestamp"},
		{"ragged", "vehicle_id,vehicle_timestamp,lat,lon\na,1,2\n", "line 2"},
		{"quote", "vehicle_id,vehicle_timestamp,lat,lon\n\"a,1,2,3\n", "line 2"},
	} {
		_, err := recording.ReadAll("posicoes.csv", strings.NewReader(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", test.name, err, test.want)
		}
	}
}
