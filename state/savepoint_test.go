package state_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// TestSavepoints compares a set with maps that are copied at each savepoint. UndoTo rolls back exactly the changes
// since a savepoint, also if they are nested. Undo rolls back everything since Begin. Flush writes the remaining
// changes.
//
// Proves: failed-record-leaves-no-trace
func TestSavepoints(t *testing.T) {
	plain := state.NewKeyValue("plain", codec.String, codec.Int64)
	encoded := state.NewKeyValue("encoded", codec.String, codec.JSON[[]int64]()) // kept encoded, because slices can be modified
	rapid.Check(t, func(t *rapid.T) {
		db := state.NewMemory()
		defer db.Close()
		budget := state.NewBudget(rapid.SampledFrom([]int64{0, 1 << 20}).Draw(t, "budget"))
		set, err := state.OpenSet(db, []state.Definition{plain, encoded}, state.Options{Budget: budget})
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		stores := failing{set, t}
		numbers, lists := plain.In(stores), encoded.In(stores)
		clock, err := set.Clock(">window")
		if err != nil {
			t.Fatal(err)
		}
		type content struct {
			rows map[string]int64
			time int64
		}
		now := content{rows: map[string]int64{}, time: clock.Advance(0)}
		save := func() content { return content{maps.Clone(now.rows), now.time} }
		begun := save()
		type mark struct {
			at    int
			saved content
		}
		var marks []mark
		set.Begin()
		check := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
			switch rapid.SampledFrom([]string{"put", "put", "update", "delete", "time", "mark", "undo to", "release", "undo", "begin", "commit"}).Draw(t, "step") {
			case "put":
				v := rapid.Int64Range(1, 99).Draw(t, "value")
				check(numbers.Put(key, v, 0))
				check(lists.Put(key, []int64{v}, 0))
				now.rows[key] = v
			case "update":
				_, err := numbers.Update(key, 0, func(v int64, _ bool) int64 { return v + 1 })
				check(err)
				_, err = lists.Update(key, 0, func(v []int64, had bool) []int64 {
					if !had {
						return []int64{1}
					}
					v[0]++
					return v
				})
				check(err)
				now.rows[key]++
			case "delete":
				check(numbers.Delete(key, 0))
				check(lists.Delete(key, 0))
				delete(now.rows, key)
			case "time":
				now.time = clock.Advance(now.time + 1)
			case "mark":
				marks = append(marks, mark{set.Mark(), save()})
			case "undo to":
				if len(marks) > 0 {
					last := marks[len(marks)-1]
					marks = marks[:len(marks)-1]
					set.UndoTo(last.at)
					now = last.saved
				}
			case "release":
				if len(marks) > 0 {
					set.Release(marks[len(marks)-1].at)
					marks = marks[:len(marks)-1]
				}
			case "undo":
				set.Undo()
				now, marks = begun, nil
				begun = save()
			case "begin":
				set.Begin()
				begun, marks = save(), nil
			case "commit":
				batch := db.NewBatch()
				check(set.Flush(batch, func(state.Store, []byte, []byte, int64) error { return nil }))
				check(batch.Commit())
				set.Committed()
				begun, marks = save(), nil
			}
			rows := map[string]int64{}
			for _, key := range []string{"a", "b", "c"} {
				n, found, err := numbers.Get(key)
				check(err)
				list, foundList, err := lists.Get(key)
				check(err)
				if found != foundList || found && n != list[0] {
					t.Fatalf("%s is %d, %v in one store and %v, %v in the other", key, n, found, list, foundList)
				}
				if found {
					rows[key] = n
				}
			}
			if !maps.Equal(rows, now.rows) || clock.Advance(-1) != now.time {
				t.Fatalf("the stores have %v at %d, want %v at %d", rows, clock.Advance(-1), now.rows, now.time)
			}
		}
	})
}

// failing provides stores to their definitions; a missing store fails the test.
type failing struct {
	*state.Set
	t *rapid.T
}

func (f failing) Fail(err error) { f.t.Fatal(err) }
