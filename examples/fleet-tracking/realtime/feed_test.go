package realtime_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/realtime"
)

// now is when the tests ask.
var now = time.Date(2026, 1, 16, 11, 0, 0, 0, time.UTC)

// at is a vehicle that was at the gate so many seconds before now.
func at(vehicle string, ago int64) *gtfs.FeedEntity {
	return &gtfs.FeedEntity{Id: &vehicle, Vehicle: &gtfs.VehiclePosition{
		Vehicle:   &gtfs.VehicleDescriptor{Id: &vehicle},
		Position:  &gtfs.Position{Latitude: proto.Float32(-10.5), Longitude: proto.Float32(-37)},
		Timestamp: proto.Uint64(uint64(now.Unix() - ago)),
	}}
}

// message has entities; the server made it so many seconds before now.
func message(t *testing.T, ago int64, entities ...*gtfs.FeedEntity) []byte {
	t.Helper()
	data, err := proto.Marshal(&gtfs.FeedMessage{
		Header: &gtfs.FeedHeader{GtfsRealtimeVersion: proto.String("2.0"), Timestamp: proto.Uint64(uint64(now.Unix() - ago))},
		Entity: entities,
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// served is a feed of a server that answers with a handler.
func served(t *testing.T, handler http.HandlerFunc) *realtime.Feed {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return realtime.NewFeed(server.URL+"/vehicles?key=secret", &http.Client{Timeout: 10 * time.Second})
}

// names are the vehicles of positions and how many seconds before now they were there.
func names(positions []fleet.Position) []string {
	var all []string
	for _, p := range positions {
		all = append(all, fmt.Sprintf("%s-%d", p.Vehicle, int64(fleet.InstantOf(now).Since(p.Instant))))
	}
	return all
}

// TestEachPositionOnce: a position that was taken is not new again, neither in the next message nor in an older one that a cache may
// answer with; one that could not be written is.
func TestEachPositionOnce(t *testing.T) {
	var body []byte
	feed := served(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	first, second := message(t, 0, at("a", 20), at("b", 15), at("b", 15)), message(t, 0, at("a", 5), at("b", 15), at("c", 4))
	for i, step := range []struct {
		body []byte
		done bool
		want []string
	}{
		{first, false, []string{"a-20", "b-15"}},
		{first, true, []string{"a-20", "b-15"}},
		{first, true, nil},
		{second, true, []string{"a-5", "c-4"}},
		{first, true, nil},
		{second, true, nil},
	} {
		body = step.body
		positions, err := feed.Fetch(t.Context(), now)
		if err != nil || !slices.Equal(names(positions), step.want) {
			t.Errorf("step %d: %v, %v; want %v", i, names(positions), err, step.want)
		}
		if step.done {
			feed.Done(positions, now)
		}
	}
}

// TestForgetting: a vehicle that is gone for longer than an hour takes no memory, and is new when it comes back.
func TestForgetting(t *testing.T) {
	body := message(t, 0, at("a", 20))
	feed := served(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	fetch := func(at time.Time) int {
		positions, err := feed.Fetch(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		feed.Done(positions, at)
		return len(positions)
	}
	one, other := body, message(t, 0, at("b", 20))
	for i, step := range []struct {
		body  []byte
		after time.Duration
		want  int
	}{{one, 0, 1}, {one, time.Hour, 0}, {other, time.Hour, 1}, {other, 2 * time.Hour, 0}, {other, 2*time.Hour + 1, 0}, {one, 2*time.Hour + 1, 1}} {
		body = step.body
		if n := fetch(now.Add(step.after)); n != step.want {
			t.Errorf("step %d: %d new positions, want %d", i, n, step.want)
		}
	}
}

// TestConditionalRequests: the server is asked for what has changed since the message that was written.
func TestConditionalRequests(t *testing.T) {
	var asked []string
	body := message(t, 0, at("a", 20))
	feed := served(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match")+" "+r.Header.Get("If-Modified-Since"))
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Fri, 16 Jan 2026 11:00:00 GMT")
		w.Write(body)
	})
	for i, want := range []int{1, 1, 0, 0} { // the first is not written
		positions, err := feed.Fetch(t.Context(), now)
		if err != nil || len(positions) != want {
			t.Errorf("request %d: %d positions, %v; want %d", i, len(positions), err, want)
		}
		if i > 0 {
			feed.Done(positions, now)
		}
	}
	const since = `"1" Fri, 16 Jan 2026 11:00:00 GMT`
	if want := []string{" ", " ", since, since}; !slices.Equal(asked, want) {
		t.Errorf("the requests ask for %q, want %q", asked, want)
	}
}

// TestArrival: a position arrives when the server made the message, but not later than now. Numbers that are none are left out, and a time
// that no log can have does not become another.
func TestArrival(t *testing.T) {
	odd := at("c", 0)
	odd.Vehicle.Timestamp, odd.Vehicle.Position.Speed = proto.Uint64(math.MaxUint64), proto.Float32(float32(math.NaN()))
	for ago, want := range map[int64]time.Time{30: now.Add(-30 * time.Second), -3600: now, now.Unix(): now} {
		feed := served(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(message(t, ago, at("a", 0), odd)) })
		positions, err := feed.Fetch(t.Context(), now)
		if err != nil || len(positions) != 2 {
			t.Fatalf("%v, %v", positions, err)
		}
		if p := positions[0]; p.Arrival != fleet.InstantOf(want) || p.Seq != 0 {
			t.Errorf("made %d s ago: %+v, want arrival %v", ago, p, want)
		}
		if p := positions[1]; p.Speed != nil || p.Instant < fleet.InstantOf(now) {
			t.Errorf("speed and time that are none: %+v", p)
		}
	}
}

// TestServersThatFail: each says what is wrong, and not the key in the address.
func TestServersThatFail(t *testing.T) {
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if len(header) > 0 {
				w.Header().Set("Retry-After", header[0])
			}
			w.WriteHeader(code)
		}
	}
	answer := func(kind string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Write(body)
		}
	}
	alert := &gtfs.FeedEntity{Id: proto.String("1"), Alert: &gtfs.Alert{}}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
		after   time.Duration
	}{
		{"wrong path", status(404), "404 Not Found: check the address", 0},
		{"broken", status(500), "answers 500 Internal Server Error", 0},
		{"no key", status(403), "does the address need a key?", 0},
		{"too many", status(429, "120"), "ask it less often", 2 * time.Minute},
		{"maintenance", status(503, "Fri, 16 Jan 2026 11:10:00 GMT"), "503 Service Unavailable", 10 * time.Minute},
		{"a page", answer("text/html; charset=utf-8", []byte("<html>")), "a web page (text/html) instead of a message", 0},
		{"a page, said to be data", answer("application/octet-stream", []byte("\n<!DOCTYPE html>")), "a web page (application/octet-stream)", 0},
		{"JSON", answer("application/json", []byte(`{"entity":[]}`)), "JSON (application/json)", 0},
		{"garbage", answer("application/x-protobuf", bytes.Repeat([]byte{0xff}, 99)), "99 bytes (application/x-protobuf)", 0},
		{"nothing", answer("application/x-protobuf", nil), "nothing (application/x-protobuf)", 0},
		{"half a message", answer("", message(t, 0, at("a", 0), at("b", 0))[:40]), "instead of a message", 0},
		{"alerts", answer("", message(t, 0, alert)), "1 entities and no vehicle", 0},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte{10})
		}, "the connection failed: unexpected EOF", 0},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for part := make([]byte, 1<<20); ; {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		}, "more than 8 MB", 0},
		{"a loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, "stopped after 10 redirects", 0},
	} {
		feed := served(t, test.handler)
		_, err := feed.Fetch(t.Context(), now)
		failed := (*realtime.Error)(nil)
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), test.want) || failed.After != test.after {
			t.Errorf("%s: %+v, want %q after %v", test.name, err, test.want, test.after)
		} else if text := err.Error(); strings.Contains(text, "secret") || !strings.HasPrefix(text, feed.Name()+": ") {
			t.Errorf("%s: the error says %q", test.name, text)
		}
	}
}

// TestSlowAndGone: a server that does not answer in time, and one that is not there.
func TestSlowAndGone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte{10})
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	slow := realtime.NewFeed(server.URL, &http.Client{Timeout: 50 * time.Millisecond})
	if _, err := slow.Fetch(t.Context(), now); err == nil || !strings.Contains(err.Error(), "too slow: no whole answer within 50ms") {
		t.Errorf("slow: %v", err)
	}
	server.Close()
	if _, err := slow.Fetch(t.Context(), now); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("gone: %v", err)
	}
}

func TestBackoff(t *testing.T) {
	busy := &realtime.Error{After: 7 * time.Minute}
	for _, test := range []struct {
		every    time.Duration
		failures int
		err      error
		want     time.Duration
	}{
		{15 * time.Second, 1, nil, 15 * time.Second},
		{15 * time.Second, 3, nil, time.Minute},
		{15 * time.Second, 1000, nil, 5 * time.Minute},
		{10 * time.Minute, 3, nil, 10 * time.Minute},
		{15 * time.Second, 1, busy, 7 * time.Minute},
		{15 * time.Second, 1, &realtime.Error{After: 24 * time.Hour}, time.Hour},
	} {
		if got := realtime.Backoff(test.every, test.failures, test.err); got != test.want {
			t.Errorf("after %d failures, every %v: %v, want %v", test.failures, test.every, got, test.want)
		}
	}
}
