// Package recordingtest finds the recorded data that some tests check the example against. The data is not part of the
// repository; without it those tests are skipped.
package recordingtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

// Variable names the environment variable that says where the recordings are.
const Variable = "RIO_FLEET_DATA"

// Dir is the folder of a recording, such as "kingston": below $RIO_FLEET_DATA, else below shared/data beside the module. A test
// without it is skipped.
func Dir(t testing.TB, name string) string {
	t.Helper()
	data := os.Getenv(Variable)
	if data == "" {
		data = filepath.Join(moduleRoot(t), "..", "shared", "data")
	}
	dir := filepath.Join(data, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("recorded data %s is absent: set %s to the folder that holds it", name, Variable)
	}
	return dir
}

// Positions are all rows of a recording.
func Positions(t testing.TB, path string) []fleet.Position {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := recording.ReadAll(filepath.Base(path), file, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	positions := make([]fleet.Position, len(rows))
	for i, row := range rows {
		if row.Err != nil {
			t.Fatal(row.Err)
		}
		positions[i] = row.Position
	}
	return positions
}

func moduleRoot(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			t.Fatalf("no go.mod above %s", dir)
		}
	}
}
