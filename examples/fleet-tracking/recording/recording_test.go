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
				{Vehicle: "a", Lat: new(-10.9), Lon: new(-37.05), Instant: 100_000, Seq: 1},
				{Vehicle: "a", Instant: 101_000, Seq: 2},
			},
		},
		{
			"metres and seconds",
			"\ufeffseq,feed_timestamp,vehicle_id,route_id,trip_id,trip_start_date,trip_start_time,vehicle_timestamp,lat,lon,speed_mps,bearing,odometer_m\r\n" +
				"7,105,a,l,x:y:z,20260116,12:00:00,100.5,1,2,0.0,90,1000\r\n",
			[]fleet.Position{{
				Vehicle: "a", Route: "l", Trip: "x:y:z", Day: "20260116", Start: "12:00:00", Lat: new(1.0), Lon: new(2.0),
				Speed: speed(0), Bearing: speed(90), Odometer: speed(1000), Instant: 100_500, Arrival: 105_000, Seq: 7,
			}},
		},
		{
			"kilometres and milliseconds",
			"seq,capture_ms,vehicle_id,line,lat,lon,gps_ms,speed_kmh,odometer_km,ignition\n1,2500,a,22,1,2,2000,36,1.5,1\n",
			[]fleet.Position{{
				Vehicle: "a", Route: "22", Lat: new(1.0), Lon: new(2.0), Speed: speed(36 * (1 / 3.6)), Odometer: speed(1500), Ignition: new(true),
				Instant: 2000, Arrival: 2500, Seq: 1,
			}},
		},
	} {
		rows, err := recording.ReadAll("posicoes.csv", strings.NewReader(test.text), recording.Options{})
		var got []fleet.Position
		for _, row := range rows {
			got = append(got, row.Position)
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", test.name, got, err, test.want)
		}
	}
}

// TestUnreadableRows: a row that cannot be read keeps its text, says why, and spoils no other.
func TestUnreadableRows(t *testing.T) {
	const header, before, after = "vehicle_id,vehicle_timestamp,lat,lon\n", "a,1,2,3\n", "\nb,2,3,4\n"
	for _, test := range []struct{ name, text, want string }{
		{"number", "a,1,2,west", `posicoes.csv line 3: column lon: "west" is not a number of degrees`},
		{"infinite", "a,1,Inf,3", `line 3: column lat: "Inf" is not a number of degrees`},
		{"time", "a,08:00,2,3", `line 3: column vehicle_timestamp: "08:00" is not a time since 1970`},
		{"torn", "a,1,2", "line 3: 3 fields, but the header has 4"},
		{"too long", "a,1,2,3,", "line 3: 5 fields, but the header has 4"},
		{"quote", `"a,1,2,3`, `line 3: extraneous or missing " in quoted-field`},
	} {
		rows, err := recording.ReadAll("posicoes.csv", strings.NewReader(header+before+test.text+after), recording.Options{})
		if err != nil || len(rows) != 3 {
			t.Errorf("%s: %+v, %v", test.name, rows, err)
			continue
		}
		if bad := rows[1]; bad.Err == nil || !strings.Contains(bad.Err.Error(), test.want) || bad.Text != test.text {
			t.Errorf("%s: row is %+v, want error %q", test.name, bad, test.want)
		}
		if rows[0].Err != nil || rows[2].Vehicle != "b" || rows[2].Seq != 3 {
			t.Errorf("%s: the rows around it are %+v and %+v", test.name, rows[0], rows[2])
		}
	}
}

// TestIncompleteRows: what a row lacks is for the account of rows, not for the reader.
func TestIncompleteRows(t *testing.T) {
	rows, err := recording.ReadAll("posicoes.csv", strings.NewReader("vehicle_id,vehicle_timestamp,lat,lon\n,1,2,3\na,,2,3\na,1,,3\n"), recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []fleet.Reason{fleet.NoVehicle, fleet.NoTime, fleet.NoPosition} {
		if rows[i].Err != nil || rows[i].Fault() != want {
			t.Errorf("row %d: %v, %q, want %q", i, rows[i].Err, rows[i].Fault(), want)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "posicoes.csv is empty: a header line is needed"},
		{"blank", " \n\n", "posicoes.csv is empty: a header line is needed"},
		{"columns", "vehicle_id,latitude,lon\n", "posicoes.csv has no column vehicle_timestamp, lat; it has vehicle_id, latitude, lon"},
	} {
		_, err := recording.ReadAll("posicoes.csv", strings.NewReader(test.text), recording.Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", test.name, err, test.want)
		}
	}
	rows, err := recording.ReadAll("posicoes.csv", strings.NewReader("\ufeff\"vehicle_id\",vehicle_timestamp,lat,lon\r\n\r\na,1,2,3"), recording.Options{})
	if err != nil || len(rows) != 1 || rows[0].Vehicle != "a" {
		t.Errorf("quoted header after a byte order mark: %+v, %v", rows, err)
	}
}
