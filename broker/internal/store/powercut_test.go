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

// page is what an operating system writes at once.
const page = 4 << 10

// crashed is the directory of a store with durability OS as kill -9 leaves it, and what can become of it in a power cut.
type crashed struct {
	t       *testing.T
	dir     string
	log     string // the name of the newest log file
	older   []byte // what that file held when it was begun: it is one that was used before
	commits int64
}

// crash makes a store in which commit i is the record at offset i, and copies it while it is open.
func crash(t *testing.T) *crashed {
	c := &crashed{t: t}
	db := c.open(t.TempDir(), OS)
	defer c.close(db)
	c.commit(db, 200)
	c.flush(db) // the first log file is not needed any longer
	c.commit(db, 10)
	c.flush(db) // and is used again
	c.log, c.older = newestLog(t, db.dir)
	if !bytes.Contains(c.older, []byte("xxx")) {
		t.Fatalf("%s was not used before", c.log)
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

// commit appends so many records, each in a commit of its own that also says how many there are.
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

// found returns how many commits are there. There must be no gap before the last one, and none may be there in part.
func (c *crashed) found(db *DB) (commits int64) {
	c.t.Helper()
	r, err := db.NewReader()
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	for stored, err := range r.Records(one, 0) {
		if err != nil || stored.Last != commits {
			c.t.Fatalf("found the commit %d after %d others: %v", stored.Last, commits, err)
		}
		commits++
	}
	for p, err := range r.Partitions() {
		if err != nil || p.Entry.Next != commits {
			c.t.Fatalf("found %d commits, which say that there are %d: %v", commits, p.Entry.Next, err)
		}
	}
	return commits
}

// copy copies a directory as it is at one moment: while pebble works in it, again.
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

// listed tells the files of a directory with their sizes.
func (c *crashed) listed(dir string) string {
	c.t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	var list strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil { // it was deleted just now
			return c.listed(dir)
		}
		fmt.Fprintln(&list, e.Name(), info.Size())
	}
	return list.String()
}

// damaged returns a copy of the directory with a newest log file that has become something else.
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

// pagesAreOlder is the damage that some pages of the log have their older content.
func (c *crashed) pagesAreOlder(pages ...int) func(log []byte) []byte {
	return func(log []byte) []byte {
		for _, p := range pages {
			copy(log[p*page:(p+1)*page], c.older[p*page:])
		}
		return log
	}
}

// pagesAreZero is the damage that some pages were never written.
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

// refuses checks that a store does not open, and why.
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
		hole   bool  // there is something behind what is missing
		from   int64 // at least so many commits are left
		to     int64 // and at most so many
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
				t.Errorf("%d of %d commits are there after another start", found, c.commits)
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
			for _, durability := range []Durability{Fsync, OS, OS} { // it does not become unsynced by trying
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
			t.Errorf("%q is not in what was said: %s", want, output.String())
		}
	}
}

func TestTheMarkIsThereWhileTheLogIsNotSynced(t *testing.T) {
	c := &crashed{t: t}
	dir := t.TempDir()
	db := c.open(dir, OS)
	c.commit(db, 1)
	if !marked(dir) {
		t.Error("os, open: no mark")
	}
	killed := c.copy(dir)
	c.close(db)
	if marked(dir) {
		t.Error("os, closed: marked")
	}
	db, err := Open(Options{Dir: killed, ReadOnly: true, Durability: OS, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if found := c.found(db); found != 1 {
		t.Errorf("the check of a killed store sees %d commits", found)
	}
	if c.close(db); !marked(killed) {
		t.Error("a check changes the mark")
	}
	db = c.open(killed, Fsync)
	if marked(killed) {
		t.Error("fsync, open: marked")
	}
	c.close(db)
}

// What was committed with durability OS before a kill is on the disk when a start with durability Fsync has ended: nothing
// depends on the log files from before it.
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
		t.Errorf("%d of %d commits are there", found, c.commits)
	}
}
