package state_test

import (
	"fmt"
	"testing"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// speed is an aggregate without references, as in a fleet example.
type speed struct {
	Vehicle  string
	Sum, Max float64
	Count    int64
}

var (
	speeds    = state.NewKeyValue("speeds", codec.String, codec.JSON[speed]())
	fleetSize = 5000
)

func vehicles() []string {
	names := make([]string, fleetSize)
	for i := range names {
		names[i] = fmt.Sprintf("%010d", i*7919)
	}
	return names
}

func fleet(b *testing.B) (*state.Set, *state.KeyValue[string, speed], []string) {
	b.Helper()
	set := openSet(b, state.NewMemory(), state.Options{Budget: state.NewBudget(64 << 20)}, speeds)
	store := speeds.In(&step{set: set})
	names := vehicles()
	for _, v := range names {
		if err := store.Put(v, speed{Vehicle: v}, 1); err != nil {
			b.Fatal(err)
		}
	}
	commit(b, set)
	return set, store, names
}

// The cost of a record of a known vehicle in Aggregate.
func BenchmarkUpdate(b *testing.B) {
	set, store, names := fleet(b)
	add := func(old speed, _ bool) speed { return speed{old.Vehicle, old.Sum + 1, max(old.Max, 1), old.Count + 1} }
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		set.Begin()
		if _, err := store.Update(names[n%fleetSize], int64(n), add); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkGet(b *testing.B) {
	_, store, names := fleet(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, _, err := store.Get(names[n%fleetSize]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// The cost of a commit with 5,000 dirty keys, without the database.
func BenchmarkFlush(b *testing.B) {
	set, store, names := fleet(b)
	log := func(state.Store, []byte, []byte, int64) error { return nil }
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%fleetSize == 0 {
			b.StopTimer()
			for _, v := range names {
				if err := store.Put(v, speed{Vehicle: v, Sum: 12.5, Max: 99.25, Count: 7}, 1); err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
			if err := set.Flush(nothing{}, log); err != nil {
				b.Fatal(err)
			}
			set.Committed()
		}
		n++
	}
}

// nothing is a batch that discards everything.
type nothing struct{}

func (nothing) Set(_, _ []byte)         {}
func (nothing) Delete([]byte)           {}
func (nothing) DeleteRange(_, _ []byte) {}
func (nothing) Commit() error           { return nil }
func (nothing) Close() error            { return nil }
