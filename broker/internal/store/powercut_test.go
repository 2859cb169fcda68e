package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// page is the unit in which an operating system writes to disk.
const page = 4 << 10

// crashed is the directory of a store with durability OS after kill -9, from which the states after a power cut are
// derived.
type crashed struct {
	t       *testing.T
	dir     string
	log     string // the name of the newest log file
	older   []byte // the content of that file when pebble began to reuse it
	commits int64
}

// crash makes a store in which commit i is the record at offset i, and copies its directory while it is open.
func crash(t *testing.T) *crashed {
	c := &crashed{t: t}
	db := c.open(t.TempDir(), OS)
	defer c.close(db)
	c.commit(db, 200)
	c.flush(db) // the first log file is no longer needed
	c.commit(db, 10)
	c.flush(db) // and is reused
	c.log, c.older = newestLog(t, db.dir)
	if !bytes.Contains(c.older, []byte("xxx")) {
		t.Fatalf("%s is not a reused file", c.log)
	}
	c.commit(db, 100)
	c.dir = c.copy(db.dir)
	return c
}

func (c *crashed) open(dir string, durability Durability) *DB {
	c.t.Helper()
	db, err := Open(Options{Dir: dir, Durability: durability, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	return db
}

func (c *crashed) close(db *DB) {
	c.t.Helper()
	if err := db.Close(); err != nil {
		c.t.Error(err)
	}
}

func (c *crashed) flush(db *DB) {
	c.t.Helper()
	if err := db.pebble.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// commit appends records, each in its own commit, which also contains the number of records so far.
func (c *crashed) commit(db *DB, more int) {
	c.t.Helper()
	for range more {
		b := db.NewBatch()
		b.AppendRecords(one, c.commits, c.commits, records("commit", strings.Repeat("x", 1500)))
		c.commits++
		p := EmptyPartition()
		p.Next = c.commits
		b.SetPartition(one, &p)
		if err := db.Commit(b); err != nil {
			c.t.Fatal(err)
		}
		b.Release()
	}
}

// found returns the number of commits in the store. It checks that none before the last one is missing and that none is
// partial.
func (c *crashed) found(db *DB) (commits int64) {
	c.t.Helper()
	r, err := db.NewReader()
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	for stored, err := range r.Records(one, 0) {
		if err != nil || stored.Last != commits {
			c.t.Fatalf("found commit %d after %d others: %v", stored.Last, commits, err)
		}
		commits++
	}
	for p, err := range r.Partitions() {
		if err != nil || p.Entry.Next != commits {
			c.t.Fatalf("found %d commits, but the last one says %d: %v", commits, p.Entry.Next, err)
		}
	}
	return commits
}

// copy copies a directory. If pebble changes it meanwhile, copy tries again.
func (c *crashed) copy(dir string) (to string) {
	c.t.Helper()
	for {
		to = c.t.TempDir()
		before := c.listed(dir)
		err := os.CopyFS(to, os.DirFS(dir))
		if c.listed(dir) != before {
			continue
		}
		if err != nil {
			c.t.Fatal(err)
		}
		return to
	}
}

// listed returns the files of a directory with their sizes.
func (c *crashed) listed(dir string) string {
	c.t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	var list strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil { // it was deleted meanwhile
			return c.listed(dir)
		}
		fmt.Fprintln(&list, e.Name(), info.Size())
	}
	return list.String()
}

// damaged returns a copy of the directory in which the newest log file is damaged.
func (c *crashed) damaged(become func(log []byte) []byte) (dir string) {
	c.t.Helper()
	dir = c.copy(c.dir)
	file := filepath.Join(dir, c.log)
	content, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, become(content), 0o644)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return dir
}

// pagesAreOlder replaces some pages of the log by their older contents.
func (c *crashed) pagesAreOlder(pages ...int) func(log []byte) []byte {
	return func(log []byte) []byte {
		for _, p := range pages {
			copy(log[p*page:(p+1)*page], c.older[p*page:])
		}
		return log
	}
}

// pagesAreZero replaces some pages of the log by zeroes, as if they had never been written.
func pagesAreZero(pages ...int) func(log []byte) []byte {
	return func(log []byte) []byte {
		for _, p := range pages {
			clear(log[p*page : (p+1)*page])
		}
		return log
	}
}

func newestLog(t *testing.T, dir string) (name string, content []byte) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	newest := slices.Max(logs)
	if content, err = os.ReadFile(newest); err != nil {
		t.Fatal(err)
	}
	return filepath.Base(newest), content
}

func marked(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, unsyncedMark))
	return err == nil
}

// refuses checks that a store cannot be opened, and the error.
func refuses(t *testing.T, opts Options, reason string) {
	t.Helper()
	opts.Logger = slog.New(slog.DiscardHandler)
	db, err := Open(opts)
	if err == nil {
		t.Fatal("it opens", db.Close())
	}
	if !strings.Contains(err.Error(), reason) {
		t.Errorf("want an error with %q, got: %v", reason, err)
	}
}

// Proves: power-cut-leaves-a-whole-log
func TestAPowerCutTakesTheEndOfTheLog(t *testing.T) {
	c := crash(t)
	for _, test := range []struct {
		name   string
		become func(log []byte) []byte
		hole   bool  // there is data after the hole
		from   int64 // minimum number of commits left
		to     int64 // maximum number of commits left
	}{
		{"nothing is missing", func(log []byte) []byte { return log }, false, 310, 310},
		{"the first page is zero", pagesAreZero(0), true, 210, 210},
		{"a page is zero", pagesAreZero(17), true, 245, 260},
		{"a page is older", c.pagesAreOlder(17), true, 245, 260},
		{"pages are zero", pagesAreZero(9, 12, 13, 20), true, 225, 240},
		{"pages are older", c.pagesAreOlder(9, 12, 13, 20), true, 225, 240},
		{"the first page of a block is older", c.pagesAreOlder(16), true, 245, 260},
		{"a page is half written", func(log []byte) []byte { clear(log[17*page+page/2 : 18*page]); return log }, true, 245, 262},
		{"the end is cut", func(log []byte) []byte { return log[:30*page] }, false, 280, 295},
		{"the end is older", c.pagesAreOlder(35, 36, 37, 38, 39), false, 290, 309},
		{"nothing was written", func([]byte) []byte { return nil }, false, 210, 210},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := *c
			c.t = t
			dir := c.damaged(test.become)
			if test.hole {
				refuses(t, Options{Dir: dir, ReadOnly: true}, "the next start of the broker truncates")
			}
			db := c.open(dir, OS)
			if c.commits = c.found(db); c.commits < test.from || c.commits > test.to {
				t.Errorf("%d commits are left, want %d to %d", c.commits, test.from, test.to)
			}
			c.commit(db, 5)
			again := c.open(c.copy(dir), OS)
			if found := c.found(again); found != c.commits {
				t.Errorf("%d of %d commits are left after another start", found, c.commits)
			}
			c.close(again)
			c.close(db)

			if !test.hole {
				return
			}
			synced := c.damaged(test.become)
			if err := os.Remove(filepath.Join(synced, unsyncedMark)); err != nil {
				t.Fatal(err)
			}
			for _, durability := range []Durability{Fsync, OS, OS} { // a failed attempt does not change the mark
				refuses(t, Options{Dir: synced, Durability: durability}, "a file is damaged: `rio broker check` reports what")
			}
		})
	}
}

func TestALogThatIsCutSaysSo(t *testing.T) {
	c := crash(t)
	dir := c.damaged(pagesAreZero(17))
	var output bytes.Buffer
	db, err := Open(Options{Dir: dir, Durability: OS, Logger: slog.New(slog.NewTextHandler(&output, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c.close(db)
	for _, want := range []string{"level=WARN", "file=" + c.log, "kept=", "cut="} {
		if !strings.Contains(output.String(), want) {
			t.Errorf("%q is not in the output: %s", want, output.String())
		}
	}
}

func TestTheMarkIsThereWhileTheLogIsNotSynced(t *testing.T) {
	c := &crashed{t: t}
	dir := t.TempDir()
	db := c.open(dir, OS)
	c.commit(db, 1)
	if !marked(dir) {
		t.Error("durability os, open: not marked as unsynced")
	}
	killed := c.copy(dir)
	c.close(db)
	if marked(dir) {
		t.Error("durability os, closed: marked as unsynced")
	}
	db, err := Open(Options{Dir: killed, ReadOnly: true, Durability: OS, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if found := c.found(db); found != 1 {
		t.Errorf("the check of a killed store finds %d commits", found)
	}
	if c.close(db); !marked(killed) {
		t.Error("a check has changed the mark")
	}
	db = c.open(killed, Fsync)
	if marked(killed) {
		t.Error("durability fsync, open: marked as unsynced")
	}
	c.close(db)
}

// When a store with durability OS was killed and is opened with durability Fsync, all its commits are synced before
// Open returns, and nothing depends on the old log files.
func TestFsyncAfterOSMakesDurable(t *testing.T) {
	c := crash(t)
	before, err := filepath.Glob(filepath.Join(c.dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	db := c.open(c.dir, Fsync)
	defer c.close(db)
	c.commit(db, 1)
	dir := c.copy(c.dir)
	for _, log := range before {
		if err := os.RemoveAll(filepath.Join(dir, filepath.Base(log))); err != nil {
			t.Fatal(err)
		}
	}
	after := c.open(dir, Fsync)
	defer c.close(after)
	if found := c.found(after); found != c.commits {
		t.Errorf("%d of %d commits are left", found, c.commits)
	}
}
