package gtfs

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Load reads the feed in a directory or a zip archive, as Read does. The files of an archive may be in a directory of it.
func Load(name string) (*Feed, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("gtfs: %w", err)
	}
	if info.IsDir() {
		return load(name, os.DirFS(name))
	}
	archive, err := zip.OpenReader(name)
	if err != nil {
		return nil, fmt.Errorf("gtfs: %s is neither a directory nor a zip archive: %w", name, err)
	}
	defer archive.Close()
	feed, err := fs.Sub(archive, root(archive))
	if err != nil {
		return nil, fmt.Errorf("gtfs: %s: %w", name, err)
	}
	return load(name, feed)
}

// load reads a feed that has a name, if it is one.
func load(name string, feed fs.FS) (*Feed, error) {
	var missing []string
	for _, file := range []string{"agency.txt", "routes.txt", "stops.txt", "trips.txt", "stop_times.txt"} {
		if _, err := fs.Stat(feed, file); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, file)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("gtfs: %s has no %s: is it a GTFS feed?", name, strings.Join(missing, ", "))
	}
	return Read(feed)
}

// root returns the directory of a feed that has stop_times.txt; the top if there is none.
func root(feed fs.FS) string {
	found := "."
	_ = fs.WalkDir(feed, ".", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && path.Base(name) == "stop_times.txt" {
			found = path.Dir(name)
			return fs.SkipAll
		}
		return nil
	})
	return found
}
