package main

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/processor"
)

// TestReplayOfASpan replays a quarter of an hour of some buses. What happened in it is the same as in everything that the log holds, though
// positions of another time are not read again. A forecast alone hangs on older ones: it uses the legs of seven days.
//
// Proves: replay-gives-the-same
func TestReplayOfASpan(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := recordingtest.Dir(t, "kingston")
	positions := someVehicles(t, filepath.Join(dir, "positions_20260116.csv"), 12)
	o := options{gtfs: filepath.Join(dir, "gtfs"), positions: positions, arrivalOrder: true, data: t.TempDir()}
	var whole report.Report
	opened(t, o, func(a *app) (err error) {
		if err = a.track(t.Context()); err == nil {
			whole, err = readResults(t.Context(), a.client, "")
		}
		return err
	})
	o.gtfs, o.positions, o.replay = "", "", true
	o.span = span{from: time.Date(2026, 1, 16, 19, 50, 0, 0, time.UTC), to: time.Date(2026, 1, 16, 20, 5, 0, 0, time.UTC)}
	inside := whole.Within(o.span.bounds())
	for _, c := range []struct {
		margins margins
		besides []string // files that are not compared
	}{
		{margins{before: time.Hour, after: 10 * time.Minute}, []string{report.Accounts, report.ETA}}, // the account is of all rows read
		{margins{before: safe.before, after: 10 * time.Minute}, []string{report.Accounts}},
	} {
		o.span.margins, o.out = c.margins, filepath.Join(t.TempDir(), "files")
		opened(t, o, func(a *app) error { return a.replay(t.Context()) })
		for file, least := range map[string]int{report.PositionSpeeds: 30, report.DeviationPoints: 200, report.Stops: 60, report.Legs: 40, report.ETA: 40} {
			if n := len(reporttest.Rows(t, filepath.Join(o.out, file))); n < least {
				t.Errorf("%s has %d rows: too few to compare", file, n)
			}
		}
		account := byColumns(reporttest.Rows(t, filepath.Join(o.out, report.Accounts)), "key")
		if read, all := float(t, account["account_rows "]["value"]), float64(whole.Account().Rows); read >= all*0.95 {
			t.Errorf("%v of %v positions were read again", read, all)
		}
		want := filepath.Join(t.TempDir(), "files")
		if err := inside.Write(want); err != nil {
			t.Fatal(err)
		}
		for _, file := range c.besides {
			if err := errors.Join(os.Remove(filepath.Join(want, file)), os.Remove(filepath.Join(o.out, file))); err != nil {
				t.Fatal(err)
			}
		}
		reporttest.Same(t, want, o.out)
	}
}

// opened opens the program and lets it work.
func opened(t *testing.T, o options, work func(*app) error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	o.onError = processor.DeadLetter
	a, err := open(t.Context(), o, out, out)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(work(a), a.close()); err != nil {
		t.Fatal(err)
	}
}

// someVehicles writes the rows of the first n vehicles of a recording to a file of its own.
func someVehicles(t *testing.T, path string, n int) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var some strings.Builder
	vehicles := map[string]bool{}
	lines := bufio.NewScanner(file)
	for first := true; lines.Scan(); first = false {
		columns := strings.Split(lines.Text(), ",")
		vehicle, onTrip := columns[2], columns[4] != ""
		if !first && onTrip && len(vehicles) < n {
			vehicles[vehicle] = true
		}
		if first || vehicles[vehicle] {
			some.WriteString(lines.Text() + "\n")
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "positions.csv")
	if err := os.WriteFile(to, []byte(some.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return to
}
