package pebblestore

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// TestCrash simulates power cuts at random commits. Whatever part of the unsynced data survives, the database contains
// the state of one commit, and its position identifies this commit.
//
// Proves: state-survives-restart
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a second")
	}
	for _, wal := range []WAL{Buffered, Synced, Off} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("wal %d seed %d", wal, seed), func(t *testing.T) { crash(t, wal, seed) })
		}
	}
}

func crash(t *testing.T, wal WAL, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	disk := vfs.NewCrashableMem()
	resources := NewResources(Limits{})
	defer resources.Close()
	resources.memtable = 64 << 10 // small, so that it is often full
	config := func(fs vfs.FS) Config { return Config{WAL: wal, Resources: resources, fs: fs} }

	var history []map[string]int64 // expected rows by position
	sums := map[string]int64{}
	history = append(history, map[string]int64{})
	w := newWriter(t, opened(config(disk))(t, "dir"))
	defer w.close(t)
	for position := int64(1); position <= 150; position++ {
		for range random.IntN(30) {
			k := fmt.Sprintf("key-%d-%0200d", random.IntN(50), 0)
			n := random.Int64N(1000)
			sums[k] += n
			if _, err := w.sums.Update(k, position, func(old int64, _ bool) int64 { return old + n }); err != nil {
				t.Fatal(err)
			}
		}
		w.commit(t, position)
		now := map[string]int64{}
		for k, v := range sums {
			now[k] = v
		}
		history = append(history, now)
		if random.IntN(10) == 0 {
			clone := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
			found := check(t, config(clone), history)
			if wal == Synced && found != position {
				t.Fatalf("synced commits were lost: position %d after a power failure at %d", found, position)
			}
			killed := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: random}) // only the process is killed, not the system
			if found := check(t, config(killed), history); wal != Off && found != position {
				t.Fatalf("commits were lost: position %d after kill -9 at %d", found, position)
			}
		}
	}
}

// check opens the database after a crash and compares it with the commit that its position identifies.
func check(t *testing.T, cfg Config, history []map[string]int64) int64 {
	t.Helper()
	w := newWriter(t, opened(cfg)(t, "dir"))
	defer w.close(t)
	position, _, err := w.set.Position("topic", 0)
	if err != nil {
		t.Fatal(err)
	}
	want := history[position]
	n := 0
	for row, err := range w.sums.All() {
		if err != nil {
			t.Fatal(err)
		}
		if row.Value != want[row.Key] {
			t.Fatalf("at position %d %s is %d, want %d", position, row.Key, row.Value, want[row.Key])
		}
		n++
	}
	if n != len(want) {
		t.Fatalf("at position %d there are %d rows, want %d", position, n, len(want))
	}
	return position
}

// writer simulates a task with one store.
type writer struct {
	db   state.DB
	set  *state.Set
	sums *state.KeyValue[string, int64]
	t    *testing.T
}

func newWriter(t *testing.T, db state.DB) *writer {
	t.Helper()
	def := state.NewKeyValue("sums", codec.String, codec.Int64)
	set, err := state.OpenSet(db, []state.Definition{def}, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{db: db, set: set, t: t}
	w.sums = def.In(w)
	return w
}

func (w *writer) Store(name string) (state.Store, error) { return w.set.Store(name) }
func (w *writer) Fail(err error)                         { w.t.Fatal(err) }

func (w *writer) commit(t *testing.T, position int64) {
	t.Helper()
	b := w.db.NewBatch()
	if err := w.set.Flush(b, func(state.Store, []byte, []byte, int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	w.set.SetPosition(b, "topic", 0, position)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	w.set.Committed()
}

func (w *writer) close(t *testing.T) {
	t.Helper()
	w.set.Close()
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
}
