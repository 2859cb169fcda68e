package statetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/state"
)

// RunDB tests a DB without stores.
func RunDB(t *testing.T, open Open) {
	t.Run("get appends", func(t *testing.T) { testGet(t, open) })
	t.Run("batch applies in order", func(t *testing.T) { testBatch(t, open) })
	t.Run("iterator keeps its bounds and its moment", func(t *testing.T) { testIterator(t, open) })
	t.Run("snapshot is read beside commits", func(t *testing.T) { testSnapshot(t, open) })
	t.Run("closed", func(t *testing.T) { testClosed(t, open) })
	t.Run("model", func(t *testing.T) { testModel(t, open) })
}

func testGet(t *testing.T, open Open) {
	db := open(t, t.TempDir())
	defer db.Close()
	commit(t, db, func(b state.Batch) {
		b.Set([]byte("k"), []byte("value"))
		b.Set([]byte("empty"), nil)
	})
	for _, c := range []struct {
		key, want string
		found     bool
	}{{"k", "> value", true}, {"empty", "> ", true}, {"none", "> ", false}} {
		got, found, err := db.Get([]byte("> "), []byte(c.key))
		if string(got) != c.want || found != c.found || err != nil {
			t.Errorf("Get(%q) = %q, %v, %v; want %q, %v", c.key, got, found, err, c.want, c.found)
		}
	}
}

func testBatch(t *testing.T, open Open) {
	db := open(t, t.TempDir())
	defer db.Close()
	b := db.NewBatch()
	key := []byte("a")
	b.Set(key, []byte("1"))
	key[0] = 'b' // a batch copies its arguments
	b.Set(key, []byte("2"))
	b.DeleteRange([]byte("a"), []byte("b"))
	b.Set([]byte("c"), []byte("3"))
	b.Delete([]byte("c"))
	b.Delete([]byte("never there"))
	want(t, db, nil, nil) // not visible before Commit
	must(t, b.Commit())
	want(t, db, nil, nil, "b=2")
	must(t, b.Commit()) // the batch is empty now
	b.Set([]byte("d"), []byte("4"))
	must(t, b.Close())
	must(t, db.NewBatch().Commit())
	want(t, db, nil, nil, "b=2")
}

func testIterator(t *testing.T, open Open) {
	db := open(t, t.TempDir())
	defer db.Close()
	commit(t, db, func(b state.Batch) {
		for _, k := range []string{"a", "b", "c", "d"} {
			b.Set([]byte(k), []byte(k))
		}
	})
	it, err := db.Iter([]byte("b"), []byte("d"))
	must(t, err)
	defer it.Close()
	commit(t, db, func(b state.Batch) {
		b.Delete([]byte("b"))
		b.Set([]byte("bb"), nil)
	})
	for _, step := range []struct {
		name string
		move func() bool
		want string
	}{
		{"First", it.First, "b"},
		{"Next", it.Next, "c"},
		{"Next", it.Next, ""},
		{"Last", it.Last, "c"},
		{"Prev", it.Prev, "b"},
		{"Prev", it.Prev, ""},
		{"SeekGE a", func() bool { return it.SeekGE([]byte("a")) }, "b"},
		{"SeekGE bb", func() bool { return it.SeekGE([]byte("bb")) }, "c"},
		{"Prev", it.Prev, "b"},
		{"SeekGE d", func() bool { return it.SeekGE([]byte("d")) }, ""},
	} {
		got := ""
		if step.move() {
			got = string(it.Key())
		}
		if got != step.want || it.Error() != nil {
			t.Fatalf("%s is at %q, error %v; want %q", step.name, got, it.Error(), step.want)
		}
	}
}

func testSnapshot(t *testing.T, open Open) {
	db := open(t, t.TempDir())
	defer db.Close()
	commit(t, db, func(b state.Batch) { b.Set([]byte("n"), []byte("0")) })
	first := db.Snapshot()
	var readers sync.WaitGroup
	for range 4 { // other goroutines may take and read snapshots while the owner commits
		readers.Go(func() {
			for range 50 {
				s := db.Snapshot()
				a, _, err := s.Get(nil, []byte("n"))
				b, _, err2 := s.Get(nil, []byte("n"))
				if err != nil || err2 != nil || !bytes.Equal(a, b) {
					t.Errorf("a snapshot reads %q, then %q: %v, %v", a, b, err, err2)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 100 {
		commit(t, db, func(b state.Batch) {
			b.Set([]byte("n"), fmt.Append(nil, i+1))
			b.Set(fmt.Appendf(nil, "k%d", i), nil)
		})
	}
	readers.Wait()
	want(t, first, nil, nil, "n=0")
	must(t, first.Close())
}

func testClosed(t *testing.T, open Open) {
	db := open(t, t.TempDir())
	b := db.NewBatch()
	must(t, db.Close())
	must(t, db.Close())
	if _, lives := db.(unclosed); lives {
		return
	}
	b.Set([]byte("a"), nil)
	_, _, getErr := db.Get(nil, []byte("a"))
	_, iterErr := db.Iter(nil, nil)
	s := db.Snapshot()
	_, _, snapErr := s.Get(nil, []byte("a"))
	for name, err := range map[string]error{"Get": getErr, "Iter": iterErr, "Commit": b.Commit(), "Snapshot.Get": snapErr} {
		if err == nil {
			t.Errorf("%s on a closed DB gives no error", name)
		}
	}
	must(t, b.Close())
	must(t, s.Close())
}

// testModel compares a DB with a Go map under random batches, ranges, snapshots and restarts.
func testModel(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		db := open(t, dir)
		defer func() { must(t, db.Close()) }()
		model := map[string]string{}
		key := rapid.SliceOfN(rapid.ByteRange('a', 'c'), 1, 3)
		value := rapid.SliceOfN(rapid.Byte(), 0, 3)
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) {
				b := db.NewBatch()
				for range rapid.IntRange(0, 8).Draw(rt, "changes") {
					k := key.Draw(rt, "key")
					switch rapid.SampledFrom([]string{"set", "set", "delete", "range"}).Draw(rt, "change") {
					case "set":
						v := value.Draw(rt, "value")
						b.Set(k, v)
						model[string(k)] = string(v)
					case "delete":
						b.Delete(k)
						delete(model, string(k))
					case "range":
						upper := key.Draw(rt, "upper")
						if bytes.Compare(k, upper) < 0 {
							b.DeleteRange(k, upper)
							maps.DeleteFunc(model, func(key, _ string) bool { return key >= string(k) && key < string(upper) })
						}
					}
				}
				must(rt, b.Commit())
				must(rt, b.Close())
			},
			"restart": func(rt *rapid.T) {
				must(rt, db.Close())
				db = open(t, dir)
			},
			"": func(rt *rapid.T) {
				lower, upper := key.Draw(rt, "lower"), key.Draw(rt, "upper")
				if bytes.Compare(lower, upper) > 0 {
					lower, upper = upper, lower
				}
				s := db.Snapshot()
				want(rt, s, lower, upper, render(model, lower, upper)...)
				must(rt, s.Close())
				want(rt, db, nil, nil, render(model, nil, nil)...)
			},
		})
	})
}

// render returns the rows of a model within bounds as text.
func render(model map[string]string, lower, upper []byte) []string {
	var rows []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if k >= string(lower) && (upper == nil || k < string(upper)) {
			rows = append(rows, k+"="+model[k])
		}
	}
	return rows
}

// commit commits one batch.
func commit(t testing.TB, db state.DB, change func(state.Batch)) {
	t.Helper()
	b := db.NewBatch()
	change(b)
	must(t, b.Commit())
	must(t, b.Close())
}

// want compares the rows of a DB within bounds with a model, forwards and backwards.
func want(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, r state.Reader, lower, upper []byte, rows ...string,
) {
	t.Helper()
	it, err := r.Iter(lower, upper)
	must(t, err)
	defer it.Close()
	var forwards, backwards []string
	for more := it.First(); more; more = it.Next() {
		forwards = append(forwards, string(it.Key())+"="+string(it.Value()))
	}
	for more := it.Last(); more; more = it.Prev() {
		backwards = append(backwards, string(it.Key())+"="+string(it.Value()))
	}
	must(t, it.Error())
	slices.Reverse(backwards)
	if diff := cmp.Diff(rows, forwards); diff != "" {
		t.Fatalf("rows from %q to %q (-want +got):\n%s", lower, upper, diff)
	}
	if diff := cmp.Diff(forwards, backwards); diff != "" {
		t.Fatalf("backwards from %q to %q (-forwards +backwards):\n%s", lower, upper, diff)
	}
}
