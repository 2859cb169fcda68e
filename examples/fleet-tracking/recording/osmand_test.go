package recording_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

func TestOsmAnd(t *testing.T) {
	now := time.UnixMilli(int64(eleven) + 3000)
	for _, test := range []struct {
		query string
		want  fleet.Position
	}{
		{"id=a&lat=-10.95&lon=-37.05&timestamp=1768561200", fleet.Position{Instant: eleven}},
		{"deviceid=a&lat=-10.95&lon=-37.05&timestamp=1768561200500&speed=19.438444924406&bearing=90&ignition=true", fleet.Position{Instant: eleven + 500, Speed: new(10.0), Bearing: new(90.0), Ignition: new(true)}},
		{"id=a&lat=-10.95&lon=-37.05&timestamp=2026-01-16T08:00:00-03:00&heading=0&viagem=x:y:z&data=20260116", fleet.Position{Instant: eleven, Bearing: new(0.0), Trip: "x:y:z", Day: "20260116"}},
		{"id=a&lat=-10.95&lon=-37.05", fleet.Position{Instant: eleven + 3000}},
	} {
		values, err := url.ParseQuery(strings.ReplaceAll(test.query, "+", "%2B"))
		if err != nil {
			t.Fatal(err)
		}
		want := test.want
		want.Vehicle, want.Lat, want.Lon, want.Arrival = "a", new(-10.95), new(-37.05), eleven+3000
		if got, err := recording.OsmAnd(values, now); err != nil || !near(got, want) {
			t.Errorf("%s: %+v, %v", test.query, got, err)
		}
	}
	for query, want := range map[string]string{
		"lat=1&lon=2":                     "parameter id is missing",
		"id=a&lat=1":                      "parameters lat and lon are needed",
		"id=a&lat=north&lon=2":            `parameter lat: "north" is not a number`,
		"id=a&lat=1&lon=2&ignition=on":    `parameter ignition: "on" is not true or false`,
		"id=a&lat=1&lon=2&speed=NaN":      `parameter speed: "NaN" is not a number`,
		"id=a&lat=1&lon=2&timestamp=noon": `timestamp "noon" is not a time`,
		"id=a&lat=1&lon=2&timestamp=-5":   `timestamp "-5" is not a time`,
	} {
		values, _ := url.ParseQuery(query)
		if _, err := recording.OsmAnd(values, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", query, err, want)
		}
	}
}

func TestTraccarJSON(t *testing.T) {
	now := time.UnixMilli(int64(eleven) + 3000)
	body := `{"location":{"timestamp":"2026-01-16T11:00:00.500Z","coords":{"latitude":-10.95,"longitude":-37.05,"accuracy":5,"speed":10,"heading":-1},"battery":{"level":1}},"device_id":"a"}`
	want := fleet.Position{Vehicle: "a", Lat: new(-10.95), Lon: new(-37.05), Speed: new(10.0), Instant: eleven + 500, Arrival: eleven + 3000}
	if got, err := recording.TraccarJSON([]byte(body), now); err != nil || !near(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, body := range []string{"", "{}", `{"device_id":"a"}`, `{"device_id":"a","location":{"coords":{"latitude":1,"longitude":2},"timestamp":"noon"}}`} {
		if got, err := recording.TraccarJSON([]byte(body), now); err == nil {
			t.Errorf("%q gives %+v", body, got)
		}
	}
}
