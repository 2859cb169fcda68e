package store

import (
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestFsyncSurvivesAPowerCut simulates power cuts at random commits. The disk keeps a random part of the unsynced data,
// or none. Every acknowledged commit must survive.
//
// Proves: acked-survives-power-cut
func TestFsyncSurvivesAPowerCut(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	disk := vfs.NewCrashableMem()
	open := func(fs vfs.FS) *DB {
		t.Helper()
		db, err := Open(Options{Dir: "/data", Durability: Fsync, Logger: slog.New(slog.DiscardHandler), fs: fs})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	c := &crashed{t: t}
	db := open(disk)
	defer c.close(db)
	for round := range 10 {
		c.commit(db, 1+random.IntN(20))
		if round%3 == 0 {
			c.flush(db)
		}
		for _, percent := range []int{0, random.IntN(101)} {
			after := open(disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: random}))
			if found := c.found(after); found != c.commits {
				t.Errorf("%d of %d commits are left, with %d %% of the unsynced data", found, c.commits, percent)
			}
			c.close(after)
		}
	}
}
