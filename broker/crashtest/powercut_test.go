package crashtest

import (
	"math/rand/v2"
	"os"
	"testing"
)

const (
	page  = 4 << 10  // unit in which the operating system writes to disk
	block = 32 << 10 // block size of the write-ahead log; pebble detects a hole by a later block
)

// With durability os the log is not synced, and the operating system writes its pages in any order. After a power failure,
// pages in the middle may be missing.
//
// Proves: power-cut-leaves-a-whole-log (processes), no-torn-transaction (processes)
func TestPowerCut(t *testing.T) {
	if *command != "" {
		t.Skip("the write-ahead log of other brokers has another format")
	}
	chosen := *durability
	*durability = "os"
	t.Cleanup(func() { *durability = chosen })
	survivesDamage(t, 300, 2*block, func(random *rand.Rand, file string) { punchHoles(t, random, file) })
}

// punchHoles zeroes some pages in the second half of a log, but not in the last block.
func punchHoles(t *testing.T, random *rand.Rand, file string) {
	t.Helper()
	log, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	end := lengthOf(log)
	from, to := end/2/page, end/block*block/page
	for range 1 + random.IntN(8) {
		hole := from + random.IntN(to-from)
		clear(log[hole*page : (hole+1)*page])
		t.Logf("%s: nothing is left of the page at %d of %d", file, hole*page, end)
	}
	if err := os.WriteFile(file, log, 0o644); err != nil {
		t.Fatal(err)
	}
}
