package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/realtime"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
)

// TestPollVehiclePositions has the program ask a server. It must write each position once, also those of a message that it gets again.
func TestPollVehiclePositions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	began := time.Now()
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(vehicles(t, began, "onibus-1", "onibus-2", "onibus-3"))
		asked <- struct{}{}
	}))
	defer server.Close()
	files := filepath.Join(t.TempDir(), "files")
	p := embedded(t).start(t, []string{"-live", "-positions", server.URL + "/?key=secret", "-every", "1s", "-out", files})
	p.await(tracking.Motions.Name(), 3)
	for range 2 {
		<-asked
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.succeed()
	if said := p.output.String(); !strings.Contains(said, "Positions of "+server.URL+"/ every 1s") || strings.Contains(said, "secret") {
		t.Errorf("the program says\n%s", said)
	}
	for _, r := range reporttest.Rows(t, filepath.Join(files, "account.csv")) {
		want := map[string]string{"account_rows": "3", "account_fixes": "3", "rows_without_arrival": "0"}[r["key"]]
		if want != "" && r["value"] != want {
			t.Errorf("%s is %s, want %s", r["key"], r["value"], want)
		}
	}
}

// vehicles is a message with vehicles that are where they are at a time.
func vehicles(t *testing.T, at time.Time, ids ...string) []byte {
	t.Helper()
	seconds := uint64(at.Unix())
	message := &gtfs.FeedMessage{Header: &gtfs.FeedHeader{GtfsRealtimeVersion: proto.String("2.0"), Timestamp: &seconds}}
	for _, id := range ids {
		message.Entity = append(message.Entity, &gtfs.FeedEntity{Id: &id, Vehicle: &gtfs.VehiclePosition{
			Vehicle:   &gtfs.VehicleDescriptor{Id: &id},
			Position:  &gtfs.Position{Latitude: proto.Float32(-10.5), Longitude: proto.Float32(-37)},
			Timestamp: &seconds,
		}})
	}
	data, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// roundTrip is a server within the process, which simulated time needs.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// polled polls a server for so long, in simulated time, and returns what was written, and the log.
func polled(t *testing.T, period time.Duration, server roundTrip, write func([]fleet.Position) error) (log string) {
	t.Helper()
	var text bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), period)
	defer cancel()
	p := poller{
		feed:   realtime.NewFeed("http://feed/vehicles", &http.Client{Transport: server, Timeout: answerLimit}),
		every:  15 * time.Second,
		write:  write,
		logger: slog.New(slog.NewTextHandler(&text, nil)),
	}
	p.run(ctx)
	return text.String()
}

// TestPollingAServerThatFails simulates servers that fail for hours. They must be asked less and less often, and the log must not fill up.
func TestPollingAServerThatFails(t *testing.T) {
	answer := func(status int, body []byte) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
	}
	for _, test := range []struct {
		name               string
		server             func(t *testing.T, n int, r *http.Request) (*http.Response, error)
		minAsked, maxAsked int // in three hours
		want               string
		minTold, maxTold   int
	}{
		{
			"down", func(*testing.T, int, *http.Request) (*http.Response, error) {
				return nil, errors.New("connection refused")
			},
			38, 42, "connection refused", 34, 42,
		},
		{
			"broken", func(*testing.T, int, *http.Request) (*http.Response, error) { return answer(500, nil) },
			38, 42, "500 Internal Server Error", 34, 42,
		},
		{
			"hanging", func(_ *testing.T, _ int, r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			},
			34, 38, "too slow: no whole answer within 30s", 32, 38,
		},
		{
			"every other time", func(t *testing.T, n int, _ *http.Request) (*http.Response, error) {
				if n%2 == 0 {
					return answer(404, nil)
				}
				return answer(200, vehicles(t, time.Now(), "a"))
			},
			718, 722, "failed=2 of=4", 178, 182,
		},
		{
			"without news", func(t *testing.T, _ int, _ *http.Request) (*http.Response, error) {
				return answer(200, vehicles(t, time.Unix(1768561200, 0), "a"))
			},
			718, 722, "has nothing new", 16, 18,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				log := polled(t, 3*time.Hour, func(r *http.Request) (*http.Response, error) {
					asked++
					return test.server(t, asked, r)
				}, func([]fleet.Position) error { return nil })
				if asked < test.minAsked || asked > test.maxAsked {
					t.Errorf("the server was asked %d times, want %d to %d", asked, test.minAsked, test.maxAsked)
				}
				if told := strings.Count(log, "\n"); told < test.minTold || told > test.maxTold || !strings.Contains(log, test.want) {
					t.Errorf("the log has %d messages, want %d to %d, with %q; it ends\n%s", told, test.minTold, test.maxTold, test.want, log[max(0, len(log)-500):])
				}
			})
		})
	}
}

// TestPollingWhileTheBrokerIsDown: what could not be written is written later, once.
func TestPollingWhileTheBrokerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := vehicles(t, time.Now(), "a", "b")
		var written []string
		tries := 0
		log := polled(t, time.Hour, func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
		}, func(positions []fleet.Position) error {
			if tries++; tries < 4 {
				return fmt.Errorf("no broker")
			}
			for _, p := range positions {
				written = append(written, p.Vehicle)
			}
			return nil
		})
		if len(written) != 2 {
			t.Errorf("written are %v, want a and b", written)
		}
		if !strings.Contains(log, "are not written, and will be asked for again: no broker") || !strings.Contains(log, "can be read again") {
			t.Errorf("the log is\n%s", log)
		}
	})
}
