package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// TestOwnVehicles runs the program with -live twice on one log. It must process positions that another client sends, with
// nothing but latitude, longitude and time, until it gets a signal.
func TestOwnVehicles(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	at := embedded(t)
	files := filepath.Join(t.TempDir(), "files")
	for day := range 2 {
		p := at.start(t, []string{"-live", "-out", files})
		client := at.dial(t)
		producer, err := client.NewProducer(t.Context(), kafka.ProducerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		taken := time.Date(2026, 1, 16+day, 11, 0, 0, 0, time.UTC)
		for i := range 10 { // 100 m north every 10 s
			value := fmt.Sprintf(`{"lat":%f,"lon":-37.05,"instante":%d}`, -10.95+float64(i)*100/111195, taken.Add(time.Duration(i)*10*time.Second).UnixMilli())
			err := producer.Send(tracking.Positions.Name(), 0, kafka.Record{Key: []byte("caminhao-1"), Value: []byte(value), Timestamp: taken.UnixMilli()})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := producer.Send(tracking.Positions.Name(), 0, kafka.Record{Key: []byte("caminhao-1"), Value: []byte(`{"lat":`)}); err != nil {
			t.Fatal(err)
		}
		if err := producer.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		producer.Close()
		client.Close()
		p.await(tracking.Motions.Name(), 10*(day+1))
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		p.succeed()
	}

	rows := reporttest.Rows(t, filepath.Join(files, "speed_from_positions.csv"))
	if len(rows) != 2 {
		t.Fatalf("%d windows, want one a day: %v", len(rows), rows)
	}
	for _, r := range rows {
		if speed := float(t, r["speed_mps"]); r["vehicle"] != "caminhao-1" || speed < 9.99 || speed > 10.01 || r["time_s"] != "90" {
			t.Errorf("window is %v, want 10 m/s of caminhao-1 in 90 s", r)
		}
	}
	for _, r := range reporttest.Rows(t, filepath.Join(files, "account.csv")) {
		if want := map[string]string{"account_rows": "22", "account_fixes": "20", "account_unreadable": "2"}[r["key"]]; want != "" && r["value"] != want {
			t.Errorf("%s is %s, want %s", r["key"], r["value"], want)
		}
	}
}

// dial reaches the broker of a program that may just have started.
func (at place) dial(t *testing.T) *kafka.Client {
	t.Helper()
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{at.broker}})
	if err != nil {
		t.Fatal(err)
	}
	err = retry(t.Context(), kafka.ErrUnknownTopic, func() error {
		_, err := client.Partitions(t.Context(), tracking.Positions.Name())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
