package state_test

import (
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// BenchmarkVersioned writes a version and reads one as of an earlier time, with a commit per 1,000 records.
func BenchmarkVersioned(b *testing.B) {
	prices := state.NewVersioned("prices", codec.String, codec.Int64, time.Second)
	set := openSet(b, state.NewMemory(), state.Options{Budget: state.NewBudget(64 << 20)}, prices)
	store := prices.In(&step{set: set})
	names := vehicles()
	at := int64(1)
	put := func(key string) error {
		_, err := store.Put(key, at, at)
		return err
	}
	asOf := func(age int64) func(string) error {
		return func(key string) error {
			_, _, _, err := store.GetAsOf(key, at-age)
			return err
		}
	}
	run := func(name string, record func(key string) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				set.Begin()
				if err := record(names[n%100]); err != nil {
					b.Fatal(err)
				}
				if name == "put" {
					at++
				}
				if n%1000 == 999 {
					commit(b, set)
				}
			}
		})
	}
	run("put", put)
	run("latest", asOf(0))
	run("as of", asOf(900))
}
