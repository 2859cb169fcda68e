// Package reporttest reads and compares the files of results.
package reporttest

import (
	"os"
	"path/filepath"
	"testing"
)

// Files returns the contents of the files in dir, by name.
func Files(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// Same fails the test unless the files in two directories are the same, byte for byte.
func Same(t *testing.T, one, other string) {
	t.Helper()
	files, others := Files(t, one), Files(t, other)
	if len(files) != len(others) {
		t.Errorf("%d files and %d", len(files), len(others))
	}
	for name, text := range files {
		if others[name] != text {
			t.Errorf("%s differs", name)
		}
	}
}
