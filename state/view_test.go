package state_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// Other goroutines read views while the task commits, and each view shows one commit. The task keeps two rows equal.
//
// Proves: view-shows-one-commit
func TestViewsBesideCommits(t *testing.T) {
	db := state.NewMemory()
	set := openSet(t, db, state.Options{}, counts)
	store := counts.In(&step{set: set})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for last := int64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				snapshot := db.Snapshot()
				view, err := counts.View(snapshot)
				if err != nil {
					t.Error(err)
					return
				}
				debit, _, err1 := view.Get("debit")
				credit, _, err2 := view.Get("credit")
				if err := errors.Join(err1, err2, snapshot.Close()); err != nil || debit != credit || debit < last {
					t.Errorf("a view sees %d and %d after %d, %v", debit, credit, last, err)
					return
				}
				last = debit
			}
		})
	}
	for i := range int64(300) {
		set.Begin()
		for _, key := range []string{"debit", "credit"} {
			if err := store.Put(key, i, i); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, set)
	}
	close(stop)
	readers.Wait()
}

// Expired windows are in no view, whether they are deleted or not.
func TestViewsRespectExpiry(t *testing.T) {
	db := state.NewMemory()
	set := openSet(t, db, state.Options{}, visits)
	store := visits.In(&step{set: set})
	at := func(minute int) time.Time { return time.UnixMilli(int64(minute) * 60_000).UTC() }
	for _, minute := range []int{0, 1, 60, 61, 62} {
		key := codec.WindowKey[string]{Key: "ana", Start: at(minute)}
		if err := store.Put(key, int64(minute), at(minute).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		set.Begin()
	}
	if err := store.Put(codec.WindowKey[string]{Key: "ana", Start: at(200)}, 200, at(200).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	set.Undo() // it does not advance the time
	commit(t, set)
	view, err := visits.View(db)
	if err != nil {
		t.Fatal(err)
	}
	starts := func(windows []state.Row[codec.WindowKey[string], int64]) (minutes []int64) {
		for _, row := range windows {
			minutes = append(minutes, row.Value)
		}
		return minutes
	}
	all, err := collect(view.All())
	if got, want := starts(all), []int64{60, 61, 62}; !slices.Equal(got, want) || err != nil { // 62 minus an hour is 2
		t.Errorf("All: windows %v, %v; want %v", got, err, want)
	}
	some, err := collect(view.Fetch("ana", at(0), at(61)))
	if got, want := starts(some), []int64{60, 61}; !slices.Equal(got, want) || err != nil {
		t.Errorf("Fetch: windows %v, %v; want %v", got, err, want)
	}
	if v, found, err := view.Get(codec.WindowKey[string]{Key: "ana", Start: at(1)}); found || err != nil {
		t.Errorf("the expired window is %d, %v", v, err)
	}
}

// collect returns all rows of an iteration.
func collect[K, V any](loop func(func(state.Row[K, V], error) bool)) (rows []state.Row[K, V], err error) {
	for row, err := range loop {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func TestViewsOfOtherStores(t *testing.T) {
	db := state.NewMemory()
	if _, err := counts.View(db); !errors.Is(err, state.ErrNoStore) {
		t.Errorf("in an empty database: error %v, want that there is no such store", err)
	}
	openSet(t, db, state.Options{}, counts).Close()
	if _, err := words.View(db); !errors.Is(err, state.ErrNoStore) {
		t.Errorf("error %v, want that there is no such store", err)
	}
	for _, err := range words.Encoded(db) {
		if !errors.Is(err, state.ErrNoStore) {
			t.Errorf("Encoded: error %v, want that there is no such store", err)
		}
	}
	_, err := state.NewKeyValue("counts", codec.String, codec.Float64).View(db)
	if !errors.Is(err, state.ErrFormat) {
		t.Errorf("error %v, want that the format is another", err)
	}
	b := db.NewBatch()
	b.Set([]byte{0, 0, 'f'}, []byte{9})
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	_, err = counts.View(db)
	wantError(t, err, "format [9]")
}

func ExampleKeyValueDefinition_View() {
	db := state.NewMemory()
	set, _ := state.OpenSet(db, []state.Definition{totals}, state.Options{})
	_ = totals.In(&step{set: set}).Put("ana", 10, 1000)
	b := db.NewBatch() // a commit
	_ = set.Flush(b, func(state.Store, []byte, []byte, int64) error { return nil })
	_ = b.Commit()
	set.Committed()

	snapshot := db.Snapshot() // from any goroutine
	defer snapshot.Close()
	view, err := totals.View(snapshot)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, found, _ := view.Get("ana")
	fmt.Println(n, found)
	// Output: 10 true
}
