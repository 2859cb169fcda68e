package pebblestore

import (
	"fmt"
	"testing"

	"github.com/rio-streams/rio/state"
)

// filled returns a database with 100,000 rows of 100 bytes, written in commits of 1,000.
func filled(b *testing.B) state.DB {
	b.Helper()
	db := opened(Config{})(b, b.TempDir())
	value := make([]byte, 100)
	for first := 0; first < 100_000; first += 1000 {
		batch := db.NewBatch()
		for i := first; i < first+1000; i++ {
			batch.Set(fmt.Appendf(nil, "%08d", i*7919%100_000), value)
		}
		if err := batch.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return db
}

func BenchmarkGet(b *testing.B) {
	db := filled(b)
	defer db.Close()
	for name, format := range map[string]string{"hit": "%08d", "miss": "%08d-none"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var key, value []byte
			n := 0
			for b.Loop() {
				key = fmt.Appendf(key[:0], format, n*104729%100_000)
				var err error
				if value, _, err = db.Get(value[:0], key); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}

// BenchmarkCommit commits a batch of 100 rows of 100 bytes.
func BenchmarkCommit(b *testing.B) {
	for name, wal := range map[string]WAL{"buffered": Buffered, "synced": Synced, "off": Off} {
		b.Run(name, func(b *testing.B) {
			db := opened(Config{WAL: wal})(b, b.TempDir())
			defer db.Close()
			value := make([]byte, 100)
			var key []byte
			batch := db.NewBatch()
			n := 0
			for b.Loop() {
				for range 100 {
					key = fmt.Appendf(key[:0], "%08d", n*7919%5000)
					batch.Set(key, value)
					n++
				}
				if err := batch.Commit(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
