package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSizeOfClosedStore fills several log files. Once the store is closed, its log takes no more of the disk than what tables lack, and
// nothing is lost.
func TestSizeOfClosedStore(t *testing.T) {
	for _, durability := range []Durability{Fsync, OS} {
		dir := t.TempDir()
		open := func() *DB {
			db, err := Open(Options{Dir: dir, Durability: durability, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			return db
		}
		const commits, values, size = 40, 25, 4 << 10 // 4 MB
		key := func(i int) []byte { return fmt.Appendf([]byte{0xff}, "%06d", i) }
		value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, size) }
		db := open()
		for c := range commits {
			b := db.NewBatch()
			for i := c * values; i < (c+1)*values; i++ {
				if err := b.pebble.Set(key(i), value(i), nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Commit(b); err != nil {
				t.Fatal(err)
			}
			b.Release()
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		log, all := sizes(t, dir)
		t.Logf("%s: the store takes %d kB, its log %d of them", durability, all>>10, log>>10)
		if data := int64(commits * values * size); all > data*3/2 {
			t.Errorf("%s: %d bytes of data take %d bytes, of which the log has %d", durability, data, all, log)
		}
		db = open()
		for i := range commits * values {
			if got, err := db.get(key(i)); err != nil || !bytes.Equal(got, value(i)) {
				t.Fatalf("%s: value %d is lost: %v", durability, i, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// sizes are what the log files in a directory take of the disk, and what all files take.
func sizes(t *testing.T, dir string) (log, all int64) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			t.Fatal(err)
		}
		n := info.Sys().(*syscall.Stat_t).Blocks * 512
		if all += n; filepath.Ext(file.Name()) == ".log" {
			log += n
		}
	}
	return log, all
}
