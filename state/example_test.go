package state_test

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

var totals = state.NewKeyValue("totals", codec.String, codec.Int64)

// A task opens its stores, a handler uses one, and a batch commits.
func Example() {
	db := state.NewMemory()
	set, err := state.OpenSet(db, []state.Definition{totals}, state.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	store := totals.In(&step{set: set}) // in a handler: totals.In(ctx)

	set.Begin() // a record
	add := func(old int64, _ bool) int64 { return old + 10 }
	_, _ = store.Update("ana", 1000, add)
	change, _ := store.Update("ana", 2000, add)
	fmt.Println("from", change.Old, "to", change.New)

	b := db.NewBatch() // a commit
	_ = set.Flush(b, func(store state.Store, key, value []byte, timestamp int64) error {
		fmt.Printf("%s: %s=%x at %d\n", store.Name(), key, value, timestamp)
		return nil
	})
	set.SetPosition(b, "sales", 0, 2)
	_ = b.Commit()
	set.Committed()
	// Output:
	// from 10 to 20
	// totals: ana=0000000000000014 at 2000
}

func ExampleKeyValue_Range() {
	set, _ := state.OpenSet(state.NewMemory(), []state.Definition{totals}, state.Options{})
	store := totals.In(&step{set: set})
	for i, seller := range []string{"rui", "ana", "eva"} {
		_ = store.Put(seller, int64(i), 0)
	}
	for row, err := range store.Range("ana", "eva") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.Key, row.Value)
	}
	// Output:
	// ana 1
	// eva 2
}

func ExampleWindow_Fetch() {
	clicks := state.NewWindow("clicks", codec.String, codec.Int64, time.Minute, time.Hour)
	set, _ := state.OpenSet(state.NewMemory(), []state.Definition{clicks}, state.Options{})
	store := clicks.In(&step{set: set})
	eight := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	for i := range int64(4) {
		start := eight.Add(time.Duration(i) * time.Minute)
		_ = store.Put(codec.WindowKey[string]{Key: "ana", Start: start}, i, start.UnixMilli())
	}
	for row := range store.Fetch("ana", eight.Add(time.Minute), eight.Add(2*time.Minute)) {
		fmt.Println(row.Key, row.Value)
	}
	// Output:
	// ana@2026-01-01T08:01:00Z/1m0s 1
	// ana@2026-01-01T08:02:00Z/1m0s 2
}

// A record that fails leaves no trace.
func ExampleSet_Undo() {
	set, _ := state.OpenSet(state.NewMemory(), []state.Definition{totals}, state.Options{})
	store := totals.In(&step{set: set})
	set.Begin()
	_ = store.Put("ana", 1, 0)
	set.Begin()
	_ = store.Put("ana", 2, 0)
	set.Undo()
	n, _, _ := store.Get("ana")
	fmt.Println(n)
	// Output: 1
}
