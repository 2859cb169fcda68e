package runner

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/runner/internal/assign"
)

// TestPositionsFile: a saved file is loaded up to the first invalid line; a missing file is not an error.
func TestPositionsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "positions")
	var p positions
	p.load(path)
	p.note("totals", 0, 17)
	p.note("totals", 1, 1<<40)
	p.note("totals", 0, 18)
	p.note("seen", 3, 0)
	if err := p.save(path); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "seen 3 0\ntotals 0 18\ntotals 1 1099511627776\n" {
		t.Errorf("file %q, %v", text, err)
	}
	if err := os.WriteFile(path, []byte("seen 3 0\ntotals 0 18\ntotals 1 -7\nother 0 5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var loaded positions
	loaded.load(path)
	for at, want := range map[storePartition]int64{{"seen", 3}: 0, {"totals", 0}: 18, {"totals", 1}: assign.Unknown, {"other", 0}: assign.Unknown} {
		if got := loaded.of(at.store, at.partition); got != want {
			t.Errorf("%v is at %d, want %d", at, got, want)
		}
	}
}
