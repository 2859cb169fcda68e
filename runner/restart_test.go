package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestARestartReadsOnlyTheRest kills a process that has counted many words, and restarts it. With its state it only reads
// the end of the changelogs; in an empty directory it reads all of them.
//
// Proves: restart-reads-only-the-rest (processes), new-machine-restores-all (processes)
// Proves: exactly-once-crash (processes)
func TestARestartReadsOnlyTheRest(t *testing.T) {
	long(t)
	const words = 300
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sent := 0
	feed := func(n int) {
		for range n {
			sent++
			c.send(c.lines.Name(), 2, fmt.Sprint("word", sent)) // each has a row of its own
		}
	}
	count := func() { c.await(ctx, func() bool { return c.total() == int64(sent) }) }

	dir, empty := t.TempDir(), t.TempDir()
	first := c.startProcess(dir)
	feed(words)
	count()
	first.end(syscall.SIGKILL)

	again := c.startProcess(dir)
	feed(1)
	count()
	again.end(syscall.SIGTERM)
	if restored := restored(t, dir); restored > words/3 {
		t.Errorf("with its state, the process has restored %d offsets, although %d words were committed", restored, words)
	}

	elsewhere := c.startProcess(empty)
	feed(1)
	count()
	elsewhere.end(syscall.SIGTERM)
	if restored := restored(t, empty); restored < words {
		t.Errorf("without state, the process has restored %d offsets, want at least the %d words", restored, words)
	}
	if counts, records := c.final(); len(counts) != sent || sum(records) != int64(sent) {
		t.Errorf("%d words in %d records, want %d", len(counts), sum(records), sent)
	}
}

// restored returns how many changelog offsets the processes in a directory have restored, according to their log.
func restored(t *testing.T, dir string) (offsets int) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, "process.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(log, []byte("level=INFO")) {
		t.Fatalf("no restore in the log:\n%s", log)
	}
	for _, match := range regexp.MustCompile(`msg="state restored" .*\boffsets=(\d+)`).FindAllSubmatch(log, -1) {
		n, err := strconv.Atoi(string(match[1]))
		if err != nil {
			t.Fatal(err)
		}
		offsets += n
	}
	return offsets
}
