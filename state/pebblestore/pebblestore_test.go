package pebblestore

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"

	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/statetest"
)

func TestPebble(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	statetest.Run(t, opened(Config{fs: vfs.NewMem()}))
}

// opened returns a function that opens databases with a configuration.
func opened(cfg Config) statetest.Open {
	return func(t testing.TB, dir string) state.DB {
		t.Helper()
		db, err := Open(dir, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
}

func TestOnDisk(t *testing.T) {
	for _, wal := range []WAL{Buffered, Synced, Off} {
		t.Run(fmt.Sprint(wal), func(t *testing.T) {
			dir := t.TempDir() + "/task/0_1"
			open := opened(Config{WAL: wal})
			db := open(t, dir)
			b := db.NewBatch()
			b.Set([]byte("k"), []byte("v"))
			if err := b.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(t, dir)
			defer db.Close()
			if v, found, err := db.Get(nil, []byte("k")); string(v) != "v" || !found || err != nil {
				t.Errorf("after a restart: %q, %v, %v", v, found, err)
			}
		})
	}
}

func TestResourcesAreShared(t *testing.T) {
	r := NewResources(Limits{Databases: 8})
	defer r.Close()
	open := opened(Config{Resources: r})
	for i := range 8 {
		db := open(t, fmt.Sprintf("%s/%d", t.TempDir(), i))
		defer db.Close()
	}
	if r.memtable != 4<<20 {
		t.Errorf("a memtable has %d bytes; want 4 MiB, which is 64 MiB for two of each database", r.memtable)
	}
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	db := opened(Config{})(t, dir)
	_, err := Open(dir, Config{})
	wantError(t, err, dir, "in use", "stop the other process")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := opened(Config{})(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

// damages lists what can happen to a file.
var damages = map[string]func(t *testing.T, fs vfs.FS, path string){
	"removed": func(t *testing.T, fs vfs.FS, path string) {
		if err := fs.Remove(path); err != nil {
			t.Fatal(err)
		}
	},
	"emptied": func(t *testing.T, fs vfs.FS, path string) {
		f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	},
	"overwritten": func(t *testing.T, fs vfs.FS, path string) {
		f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("damaged!damaged!damaged!"), 4); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	},
}

// written creates a database with rows in tables and in the log.
func written(t *testing.T) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	d := opened(Config{fs: fs})(t, "dir").(*db)
	for round := range 2 {
		b := d.NewBatch()
		for i := range 100 {
			b.Set(fmt.Appendf(nil, "%d-%d", round, i), make([]byte, 100))
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if err := d.pebble.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return fs
}

// use opens a database, and reads and writes all rows.
func use(fs vfs.FS) (rows int, err error) {
	db, err := Open("dir", Config{fs: fs})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	it, err := db.Iter(nil, nil)
	if err != nil {
		return 0, err
	}
	for more := it.First(); more; more = it.Next() {
		rows += len(it.Value()) / 100
	}
	return rows, errors.Join(it.Error(), it.Close())
}

// If a file is damaged, either only commits at the end of the log are missing, or the error says that the files are
// damaged and what to do.
func TestDamagedFiles(t *testing.T) {
	names, err := written(t).List("dir")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for how, damage := range damages {
		for _, name := range names {
			t.Run(name+" "+how, func(t *testing.T) {
				fs := written(t)
				damage(t, fs, "dir/"+name)
				rows, err := use(fs)
				if err == nil {
					if rows != 100 && rows != 200 {
						t.Errorf("%d rows are left, and no error", rows)
					}
					return
				}
				seen++
				if !errors.Is(err, state.ErrDamaged) {
					t.Errorf("error %v is not ErrDamaged", err)
				}
				wantError(t, err, "dir", "damaged", "delete the directory")
			})
		}
	}
	if seen < 6 {
		t.Errorf("%d kinds of damage were found", seen)
	}
}

func TestTooManyOpenFiles(t *testing.T) {
	for _, failure := range []error{syscall.EMFILE, syscall.ENFILE} {
		fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpLock {
				return failure
			}
			return nil
		}))
		_, err := Open("dir", Config{fs: fs})
		wantError(t, err, "dir", "ulimit -n")
		if strings.Contains(err.Error(), "in use") || errors.Is(err, state.ErrDamaged) {
			t.Errorf("error %q", err)
		}
	}
}

// full is a disk that can be full.
type full struct{ on atomic.Bool }

func (f *full) String() string { return "full disk" }

func (f *full) MaybeError(op errorfs.Op) error {
	if f.on.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpRemove {
		return syscall.ENOSPC
	}
	return nil
}

// The commit that meets a full disk returns an error, the process continues, and earlier commits are there after a
// restart.
func TestFullDisk(t *testing.T) {
	for _, wal := range []WAL{Buffered, Synced} {
		t.Run(fmt.Sprint(wal), func(t *testing.T) { fillDisk(t, wal) })
	}
}

func fillDisk(t *testing.T, wal WAL) {
	disk, mem := &full{}, vfs.NewCrashableMem()
	db := opened(Config{WAL: wal, fs: errorfs.Wrap(mem, disk)})(t, "dir")
	value := make([]byte, 4<<10)
	commit := func(k string) error {
		b := db.NewBatch()
		b.Set([]byte(k), value)
		return b.Commit()
	}
	if err := commit("before"); err != nil {
		t.Fatal(err)
	}
	disk.on.Store(true)
	err := commit("during")
	wantError(t, err, "write dir", "no space left", "the disk is full")
	wantError(t, commit("after"), "the disk is full")
	if !errors.Is(err, ErrBroken) {
		t.Errorf("%v is not ErrBroken", err)
	}
	crash := mem.CrashClone(vfs.CrashCloneCfg{})
	disk.on.Store(false)
	_ = db.Close() // the database with the failed write stays open; the other errors must say that the disk was full
	db = opened(Config{fs: crash})(t, "dir")
	defer db.Close()
	if _, found, err := db.Get(nil, []byte("before")); !found && wal == Synced || err != nil {
		t.Errorf("after a restart: %v, %v", found, err)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}
