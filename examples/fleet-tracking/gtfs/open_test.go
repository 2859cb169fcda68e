package gtfs_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
)

// TestLegalFeeds: what the GTFS reference allows changes nothing.
func TestLegalFeeds(t *testing.T) {
	want, err := read(small())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(files map[string]string){
		"a byte order mark before a quoted header": func(files map[string]string) {
			files["trips.txt"] = "\ufeff\"trip_id\",\"route_id\",\"shape_id\"\nt:1:x,l1,s\nt:2:x,l1,\n"
		},
		"carriage returns and blank lines": func(files map[string]string) {
			files["trips.txt"] = "trip_id,route_id,shape_id\r\n\r\nt:1:x,l1,s\r\n   \r\nt:2:x,l1,\r\n\r\n"
		},
		"rows without their last, empty fields": func(files map[string]string) {
			files["trips.txt"] = "trip_id,route_id,shape_id\nt:1:x,l1,s\nt:2:x,l1\n"
			files["stop_times.txt"] = "trip_id,stop_sequence,stop_id,arrival_time,departure_time\n" +
				"t:1:x,30,c,24:30:00\nt:1:x,10,a,23:59:00,24:00:00\nt:1:x,20,b\n"
		},
		"spaces around values": func(files map[string]string) {
			files["trips.txt"] = "trip_id , route_id,shape_id\n t:1:x,l1 , s\nt:2:x,l1,\n"
		},
		"no newline at the end": func(files map[string]string) {
			files["trips.txt"] = strings.TrimSpace(files["trips.txt"])
		},
	} {
		files := small()
		change(files)
		got, err := read(files)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: feed is\n%+v\nwant\n%+v", name, got, want)
		}
	}
}

// TestLoad: a feed may be a directory, or a zip archive, with its files at the top or in a directory.
func TestLoad(t *testing.T) {
	want, err := read(small())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range small() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	top, below := filepath.Join(dir, "top.zip"), filepath.Join(dir, "below.zip")
	pack(t, top, "")
	pack(t, below, "2026/gtfs/")
	for _, name := range []string{dir, top, below} {
		if got, err := gtfs.Load(name); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "trips.txt"): "is neither a directory nor a zip archive",
		filepath.Join(dir, "none.zip"):  "no such file",
	} {
		if _, err := gtfs.Load(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", name, err, want)
		}
	}
}

// pack writes the small feed into an archive.
func pack(t *testing.T, path, prefix string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for name, text := range small() {
		w, err := archive.Create(prefix + name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}
