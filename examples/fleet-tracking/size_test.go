//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// TestLargeFeed loads a timetable of 4,167 trips on 15 shapes, 13 MB of text, and a few positions. It must not cost much: neither time nor
// memory, and, since shapes are stored once, little of the disk.
func TestLargeFeed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a second")
	}
	dir := t.TempDir()
	feed, positions := filepath.Join(dir, "gtfs"), filepath.Join(dir, "posicoes.csv")
	if size := writeLargeFeed(t, feed); size < 13_000_000 || size > 14_000_000 {
		t.Fatalf("the feed has %d bytes, want 13 MB", size)
	}
	rows := "vehicle_id,trip_id,trip_start_date,vehicle_timestamp,lat,lon\n"
	first := time.Date(2026, 1, 16, 9, 0, 0, 0, time.UTC) // 06:00 in Maceió
	for i := range 100 {
		rows += fmt.Sprintf("onibus-1,viagem-0000,20260116,%d,%f,-37.05\n", first.Unix()+int64(10*i), -10.95+float64(i)*0.0005)
	}
	if err := os.WriteFile(positions, []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}

	at := embedded(t)
	p := at.start(t, []string{"-gtfs", feed, "-positions", positions, "-out", filepath.Join(dir, "out")})
	memory := peakMemory(t, p) >> 20
	p.succeed()
	cost := p.cmd.ProcessState
	cpu := cost.UserTime() + cost.SystemTime()
	disk := diskUsage(t, at.data) >> 20
	t.Logf("%.1f s CPU, %d MiB memory, %d MiB disk", cpu.Seconds(), memory, disk)
	if !underRace() && (cpu > 8*time.Second || memory > 220) { // 3 s and 140 MiB on a quiet machine; rows kept twice take 450 MiB
		t.Error("want at most 8 s CPU and 220 MiB memory")
	}
	if disk > 60 {
		t.Error("want at most 60 MiB disk")
	}
	if n := len(reporttest.Rows(t, filepath.Join(dir, "out", "stops.csv"))); n < 10 {
		t.Errorf("%d stops visited, want 10", n)
	}
}

// peakMemory returns the most resident memory, in bytes, that the program has had when it ends. The kernel's account of an ended process
// (Rusage.Maxrss) would include the memory of the test, which it shares until it executes the program.
func peakMemory(t *testing.T, p *program) (peak int64) {
	t.Helper()
	measure := time.NewTicker(10 * time.Millisecond)
	defer measure.Stop()
	for {
		select {
		case <-p.ended.Done():
			return peak
		case <-measure.C:
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		if err != nil {
			continue // it has just ended
		}
		for line := range strings.Lines(string(status)) {
			if value, found := strings.CutPrefix(line, "VmHWM:"); found {
				kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				peak = max(peak, kilobytes<<10)
			}
		}
	}
}

// writeLargeFeed writes a feed of 15 lines, each with one shape and 65 stops, and 4,167 trips in a day. It returns the bytes it wrote.
func writeLargeFeed(t *testing.T, dir string) (size int64) {
	t.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	const lines, trips, stops, points = 15, 4167, 65, 700
	const metres = 400.0 // from stop to stop
	table := func(name, header string, rows func(w *bufio.Writer)) {
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		w := bufio.NewWriter(file)
		fmt.Fprintln(w, header)
		rows(w)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	lat := func(along float64) float64 { return -10.95 + along/111195 }
	lon := func(line int) float64 { return -37.05 - float64(line)*0.002 }
	table("agency.txt", "agency_name,agency_url,agency_timezone", func(w *bufio.Writer) {
		fmt.Fprintln(w, "Rio,https://example.org,America/Maceio")
	})
	table("routes.txt", "route_id,route_long_name,route_type", func(w *bufio.Writer) {
		for line := range lines {
			fmt.Fprintf(w, "linha-%02d,Linha %d,3\n", line, line)
		}
	})
	table("calendar_dates.txt", "service_id,date,exception_type", func(w *bufio.Writer) { fmt.Fprintln(w, "dia,20260116,1") })
	table("stops.txt", "stop_id,stop_name,stop_lat,stop_lon", func(w *bufio.Writer) {
		for line := range lines {
			for stop := range stops {
				fmt.Fprintf(w, "parada-%02d-%02d,Parada %d,%.6f,%.6f\n", line, stop, stop, lat(float64(stop)*metres), lon(line))
			}
		}
	})
	table("shapes.txt", "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled", func(w *bufio.Writer) {
		for line := range lines {
			for point := range points {
				along := float64(point) * metres * (stops - 1) / (points - 1)
				fmt.Fprintf(w, "forma-%02d,%.6f,%.6f,%d,%.1f\n", line, lat(along), lon(line), point, along)
			}
		}
	})
	table("trips.txt", "route_id,service_id,trip_id,shape_id", func(w *bufio.Writer) {
		for trip := range trips {
			fmt.Fprintf(w, "linha-%02d,dia,viagem-%04d,forma-%02d\n", trip%lines, trip, trip%lines)
		}
	})
	clock := func(s int) string { return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60) }
	table("stop_times.txt", "trip_id,arrival_time,departure_time,stop_id,stop_sequence", func(w *bufio.Writer) {
		for trip := range trips {
			for stop := range stops {
				at := 6*3600 + trip*13 + stop*70
				fmt.Fprintf(w, "viagem-%04d,%s,%s,parada-%02d-%02d,%d\n", trip, clock(at), clock(at), trip%lines, stop, stop+1)
			}
		}
	})
	return size
}

// diskUsage is what the files in a directory take of the disk, space that is reserved for them included.
func diskUsage(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// underRace reports whether the race detector slows the test down.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
