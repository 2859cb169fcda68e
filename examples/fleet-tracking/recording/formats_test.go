package recording_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

// eleven is 2026-01-16T11:00:00Z.
const eleven = fleet.Instant(1768561200000)

// TestFormats: the same two positions of one vehicle in each format.
func TestFormats(t *testing.T) {
	maceio, err := time.LoadLocation("America/Maceio")
	if err != nil {
		t.Fatal(err)
	}
	moving := fleet.Position{Vehicle: "caminhao-1", Instant: eleven, Lat: new(-10.95), Lon: new(-37.05), Speed: new(10.0), Seq: 1}
	still := fleet.Position{Vehicle: "caminhao-1", Instant: eleven + 10_000, Lat: new(-10.9491), Lon: new(-37.05), Seq: 2}
	for _, test := range []struct {
		name, text string
		options    recording.Options
	}{
		{
			"columns.csv", "placa,hora,latitude,longitude,km/h\ncaminhao-1,2026-01-16 08:00:00,-10.95,-37.05,36\ncaminhao-1,2026-01-16T08:00:10-03:00,-10.9491,-37.05,\n",
			recording.Options{Zone: maceio, Columns: map[string]string{
				"vehicle_id": "placa", "vehicle_timestamp": "hora", "lat": "latitude", "lon": "longitude", "speed_kmh": "km/h",
			}},
		},
		{
			"objects.jsonl",
			`{"veiculo":"caminhao-1","instante":1768561200000,"lat":-10.95,"lon":-37.05,"velocidade":10}` + "\n\n" +
				`{"instante":1768561210000,"lat":-10.9491,"lon":-37.05}`,
			recording.Options{Vehicle: "caminhao-1"},
		},
		{
			"track.GPX", `<?xml version="1.0"?><gpx version="1.0"><metadata><name>a day</name></metadata><trk><name> caminhao-1 </name><trkseg>
				<trkpt lat="-10.95" lon="-37.05"><ele>3</ele><time>2026-01-16T11:00:00Z</time><speed>10</speed></trkpt>
				<trkpt lat="-10.9491" lon="-37.05"><time>2026-01-16T08:00:10-03:00</time></trkpt></trkseg></trk></gpx>`,
			recording.Options{},
		},
		{
			"receiver.nmea", "$GPGGA,110000.00,1057.0000,S,03703.0000,W,1,08,0.9,3.0,M,,M,,*7B\r\n" +
				"$GPRMC,110000.00,A,1057.0000,S,03703.0000,W,19.438444924406,,160126,,*1A\r\n$GNRMC,110010,A,1056.9460,S,03703.0000,W,,,160126,,,A*6C\r\n",
			recording.Options{Vehicle: "caminhao-1"},
		},
	} {
		rows, err := recording.ReadAll(test.name, strings.NewReader(test.text), test.options)
		if err != nil || len(rows) != 2 {
			t.Errorf("%s: %+v, %v", test.name, rows, err)
			continue
		}
		for i, want := range []fleet.Position{moving, still} {
			if rows[i].Err != nil || !near(rows[i].Position, want) {
				t.Errorf("%s: row %d is %+v, %v", test.name, i+1, rows[i].Position, rows[i].Err)
			}
		}
	}
}

// near compares positions; degrees and speeds may differ in their last digits, because formats count in other units.
func near(got, want fleet.Position) bool {
	for _, pair := range [][2]**float64{{&got.Lat, &want.Lat}, {&got.Lon, &want.Lon}, {&got.Speed, &want.Speed}} {
		g, w := *pair[0], *pair[1]
		if g != nil && w != nil && *g-*w < 1e-9 && *w-*g < 1e-9 {
			*pair[0] = w
		}
	}
	return reflect.DeepEqual(got, want)
}

func TestRealtime(t *testing.T) {
	message := &gtfs.FeedMessage{
		Header: &gtfs.FeedHeader{GtfsRealtimeVersion: proto.String("2.0"), Timestamp: proto.Uint64(1768561205)},
		Entity: []*gtfs.FeedEntity{
			{Id: proto.String("alert"), Alert: &gtfs.Alert{}},
			{Id: proto.String("1"), Vehicle: &gtfs.VehiclePosition{
				Vehicle:   &gtfs.VehicleDescriptor{Id: proto.String("onibus-1")},
				Trip:      &gtfs.TripDescriptor{TripId: proto.String("x:y:z"), RouteId: proto.String("l"), StartDate: proto.String("20260116"), StartTime: proto.String("08:00:00")},
				Position:  &gtfs.Position{Latitude: proto.Float32(-10.5), Longitude: proto.Float32(-37), Speed: proto.Float32(0), Odometer: proto.Float64(1000)},
				Timestamp: proto.Uint64(1768561200),
			}},
			{Id: proto.String("onibus-2"), Vehicle: &gtfs.VehiclePosition{}},
		},
	}
	data, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := recording.ReadAll("vehicles.pb", bytes.NewReader(data), recording.Options{})
	want := []recording.Row{
		{Position: fleet.Position{
			Vehicle: "onibus-1", Trip: "x:y:z", Route: "l", Day: "20260116", Start: "08:00:00", Instant: eleven, Arrival: eleven + 5000, Seq: 2,
			Lat: new(-10.5), Lon: new(-37.0), Speed: new(0.0), Odometer: new(1000.0),
		}},
		{Position: fleet.Position{Vehicle: "onibus-2", Arrival: eleven + 5000, Seq: 3}},
	}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("%+v, %v\nwant %+v", rows, err, want)
	}
}

// TestUnreadableRowsOfEachFormat: a line that is torn is one row that cannot be read.
func TestUnreadableRowsOfEachFormat(t *testing.T) {
	one := recording.Options{Vehicle: "a"}
	for _, test := range []struct{ name, text, want string }{
		{"objects.jsonl", `{"instante":`, "objects.jsonl line 1: unexpected end of JSON input"},
		{"objects.jsonl", `{"lat":"north"}`, "line 1: json: cannot unmarshal string"},
		{"receiver.nmea", "$GPRMC,110000.00,A,10", "receiver.nmea line 1: a sentence of NMEA 0183 ends in * and a checksum"},
		{"receiver.nmea", "$GPRMC,110000.00*00", "checksum 00, but the sentence has 49"},
		{"receiver.nmea", "$GPRMC,110000,A,1057.0,S*44", "RMC has 5 fields"},
		{"receiver.nmea", "$GPRMC,110000,A,1060.0,S,03703.0,W,,,160126*10", `latitude "1060.0" "S" is not degrees`},
		{"receiver.nmea", "$GPRMC,116000,A,1050.0,S,03703.0,W,,,160126*15", `date "160126" and time "116000" are not`},
		{"track.gpx", `<gpx><trk><trkpt lat="1" lon="2"><time>yesterday</time></trkpt></trk></gpx>`, `track.gpx line 1: time "yesterday" is not like`},
	} {
		rows, err := recording.ReadAll(test.name, strings.NewReader(test.text), one)
		if err != nil || len(rows) != 1 || rows[0].Err == nil || !strings.Contains(rows[0].Err.Error(), test.want) || rows[0].Text == "" {
			t.Errorf("%s: %+v, %v; want a row that says %q", test.text, rows, err, test.want)
		}
	}
}

// TestFilesThatAreNot: a file that is not what its name says is an error as a whole.
func TestFilesThatAreNot(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		options          recording.Options
	}{
		{"positions.xls", "", "positions.xls: the name must end in one of .csv, .gpx, .jsonl, .nmea, .pb", recording.Options{}},
		{"receiver.nmea", "", "NMEA says nothing of the vehicle", recording.Options{}},
		{"track.gpx", "<gpx><trk>", "track.gpx line 1: XML syntax error", recording.Options{}},
		{"vehicles.pb", "vehicle_id,lat", "vehicles.pb is no message of GTFS-realtime", recording.Options{}},
		{"a.csv", "vehicle_id,vehicle_timestamp,lat,lon\n", "there is no column latitude to give another name to; there are bearing,", recording.Options{Columns: map[string]string{"latitude": "lat"}}},
	} {
		_, err := recording.ReadAll(test.name, strings.NewReader(test.text), test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", test.name, err, test.want)
		}
	}
}
