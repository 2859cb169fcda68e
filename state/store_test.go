package state_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// step is a handler's view of a set.
type step struct {
	set    *state.Set
	failed error
}

func (s *step) Store(name string) (state.Store, error) {
	if s.set == nil {
		return nil, fmt.Errorf("store %q is not attached to this step", name)
	}
	return s.set.Store(name)
}

func (s *step) Fail(err error) { s.failed = errors.Join(s.failed, err) }

func openSet(t testing.TB, db state.DB, opts state.Options, defs ...state.Definition) *state.Set {
	t.Helper()
	set, err := state.OpenSet(db, defs, opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func commit(t testing.TB, set *state.Set) {
	t.Helper()
	b := set.DB().NewBatch()
	defer b.Close()
	if err := set.Flush(b, func(state.Store, []byte, []byte, int64) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	set.Committed()
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

var (
	words  = state.NewKeyValue("words", codec.String, codec.String)
	counts = state.NewKeyValue("counts", codec.String, codec.Int64)
	visits = state.NewWindow("visits", codec.String, codec.Int64, time.Minute, time.Hour)
)

func TestDefinitions(t *testing.T) {
	type keyType = codec.WindowKey[string]
	windowed := codec.Codec[keyType](codec.Windowed(codec.String))
	for want, d := range map[string]state.Definition{
		"key-value string → int64":                        counts,
		"window 1m0s by key, windowed[string] → int64":    visits,
		"window 1m0s, windowed[string] → json[time.Time]": state.NewKeyValue("t", windowed, codec.JSON[time.Time]()).Windowed(time.Minute, time.Hour),
		"session 10ms, sessions[string] → int64":          sessions,
	} {
		if d.String() != want {
			t.Errorf("%s is described as %q, want %q", d.Name(), d, want)
		}
	}
	bad := []state.Definition{
		state.NewKeyValue[string, string]("", codec.String, nil),
		state.NewWindow("short", codec.String, codec.String, time.Minute, time.Second),
		state.NewKeyValue("visits-of-users", codec.Windowed(codec.String), codec.String).Sessions(time.Minute, time.Hour),
		state.NewKeyValue("hasty", codec.Windowed(codec.String).Sessions(), codec.String).Sessions(0, time.Hour),
		state.NewKeyValue("hourly", codec.Windowed(codec.String).Size(time.Hour), codec.String).Windowed(time.Minute, time.Hour),
		counts, counts,
	}
	_, err := state.OpenSet(state.NewMemory(), bad, state.Options{})
	wantError(t, err, "needs a name", "needs a codec", `store "short" keeps windows of 1m0s for 1s`,
		`store "visits-of-users" has sessions, but its keys are encoded with windows`, `store "hasty" keeps sessions with a gap of 0s for 1h0m0s`,
		`store "hourly" has windows of 1m0s, but its keys are encoded with windows of 1h0m0s`, `two stores are named "counts"`)
}

func jsonOf[T any](T) codec.Codec[T] { return codec.JSON[T]() }

func TestAStoreKeepsItsTypes(t *testing.T) {
	db := state.NewMemory()
	openSet(t, db, state.Options{}, counts, words).Close()
	changed := []state.Definition{
		state.NewKeyValue("counts", codec.String, codec.Float64),
		state.NewWindow("words", codec.String, codec.String, time.Minute, time.Hour),
	}
	_, err := state.OpenSet(db, changed, state.Options{})
	wantError(t, err, `store "counts" holds key-value string → int64, and this program reads key-value string → float64`, "under another Config.Application",
		`store "words" holds`)
	renamed := struct{ N int }{}
	old := state.NewKeyValue("totals", codec.String, codec.JSON[time.Time]()) // stands for a type that was renamed
	db = state.NewMemory()
	openSet(t, db, state.Options{}, old).Close()
	openSet(t, db, state.Options{}, state.NewKeyValue("totals", codec.String, jsonOf(renamed))).Close()
	db = state.NewMemory()
	openSet(t, db, state.Options{}, counts, words).Close()
	openSet(t, db, state.Options{}, counts, words).Close() // the rejected open has changed nothing
}

// Stores can be removed and added in any order, and find their rows again.
func TestStoresKeepTheirRows(t *testing.T) {
	db := state.NewMemory()
	set := openSet(t, db, state.Options{}, counts)
	if err := counts.In(&step{set: set}).Put("a", 1, 0); err != nil {
		t.Fatal(err)
	}
	commit(t, set)
	set.Close()

	set = openSet(t, db, state.Options{}, words, counts)
	if err := words.In(&step{set: set}).Put("a", "one", 0); err != nil {
		t.Fatal(err)
	}
	commit(t, set)
	set.Close()

	openSet(t, db, state.Options{}, words).Close()
	set = openSet(t, db, state.Options{}, visits, counts, words)
	n, _, _ := counts.In(&step{set: set}).Get("a")
	w, _, _ := words.In(&step{set: set}).Get("a")
	if n != 1 || w != "one" {
		t.Errorf("the rows are now %d and %q", n, w)
	}
	for row := range visits.In(&step{set: set}).All() {
		t.Errorf("a new store has a row: %v", row)
	}
}

func TestDamagedMetadata(t *testing.T) {
	db := state.NewMemory()
	b := db.NewBatch()
	b.Set([]byte{0, 0, 'f'}, []byte{9})
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	_, err := state.OpenSet(db, nil, state.Options{})
	wantError(t, err, "format [9]", "restored from the changelog")
}

// A handler's constructor needs no error handling: the handle can be used even if the store is missing.
func TestInWithoutAStore(t *testing.T) {
	s := &step{}
	w := words.In(s)
	wantError(t, s.failed, `store "words" is not attached to this step`)
	if err := w.Put("a", "b", 0); err != nil {
		t.Fatal(err)
	}
	if v, _, _ := w.Get("a"); v != "b" {
		t.Errorf("the discarded store contains %q", v)
	}

	s = &step{set: openSet(t, state.NewMemory(), state.Options{}, words)}
	state.NewKeyValue("words", codec.String, codec.Int64).In(s)
	wantError(t, s.failed, `store "words" is not a key-value string → int64`)
	s = &step{set: s.set}
	visits.In(s)
	wantError(t, s.failed, `no store "visits"; there are: words`)
}

func TestBudgetIsShared(t *testing.T) {
	budget := state.NewBudget(100_000)
	opts := state.Options{Budget: budget}
	busy, idle := openSet(t, state.NewMemory(), opts, counts), openSet(t, state.NewMemory(), opts, counts)
	fill := func(set *state.Set, keys int) {
		store := counts.In(&step{set: set})
		for i := range keys {
			if err := store.Put(fmt.Sprint(i), int64(i), 0); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, set)
	}
	fill(idle, 10_000)
	if idle.CachedBytes() > 100_000 || idle.CachedBytes() < 80_000 {
		t.Errorf("a lone store has cached %d bytes of 100000", idle.CachedBytes())
	}
	fill(busy, 10_000)
	if busy.CachedBytes() < 40_000 {
		t.Errorf("an idle store leaves the busy one %d bytes", busy.CachedBytes())
	}
	idle.Committed()
	busy.Committed()
	if budget.Used() > 100_000 || budget.Used() != int64(busy.CachedBytes()+idle.CachedBytes()) {
		t.Errorf("the budget of 100000 bytes is used by %d, in stores of %d and %d bytes", budget.Used(), busy.CachedBytes(), idle.CachedBytes())
	}
	busy.Close()
	idle.Close()
	if budget.Used() != 0 {
		t.Errorf("closed stores use %d bytes", budget.Used())
	}
}

// An iteration shows the store as it was at its start.
func TestLoopBodyMayWrite(t *testing.T) {
	set := openSet(t, state.NewMemory(), state.Options{}, counts)
	store := counts.In(&step{set: set})
	for i := range 3 {
		if err := store.Put(fmt.Sprint(i), 1, 0); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			commit(t, set)
		}
	}
	seen := ""
	for row, err := range store.All() {
		if err != nil {
			t.Fatal(err)
		}
		seen += fmt.Sprintf("%s=%d ", row.Key, row.Value)
		for _, k := range []string{"0", "1", "2", "9"} {
			if err := store.Put(k, 7, 0); err != nil {
				t.Fatal(err)
			}
		}
		if row.Key == "1" {
			commit(t, set)
		}
	}
	if seen != "0=1 1=1 2=1 " {
		t.Errorf("the loop saw %s", seen)
	}
}

func TestFetchAllWithoutWindows(t *testing.T) {
	for _, err := range words.In(&step{}).FetchAll(time.Time{}, time.Time{}) {
		wantError(t, err, `store "words"`, "declare it with Windowed")
	}
}

// Times far outside the range of milliseconds are valid bounds.
func TestFetchWithoutBounds(t *testing.T) {
	set := openSet(t, state.NewMemory(), state.Options{}, visits)
	store := visits.In(&step{set: set})
	first, last := time.Time{}, time.Unix(1<<60, 0)
	var want []string
	for _, start := range []int64{-62_135_596_800_000, -90_000, 0, 59_999, 60_000, 1_767_254_400_000} {
		key := codec.WindowKey[string]{Key: "ana", Start: time.UnixMilli(start)}
		if err := store.Put(key, start, 0); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(start))
		if start == 0 {
			commit(t, set)
		}
	}
	var got []string
	for row, err := range store.Fetch("ana", first, last) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(row.Key.Start.UnixMilli()))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("Fetch finds %v, want %v", got, want)
	}
}

func TestDamagedRows(t *testing.T) {
	db := state.NewMemory()
	set := openSet(t, db, state.Options{}, counts)
	store := counts.In(&step{set: set})
	b := db.NewBatch()
	b.Set([]byte{0, 1, 'a'}, []byte("short"))
	b.Set([]byte{0, 1, 'b'}, []byte("12345678abc"))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	_, _, err := store.Get("a")
	wantError(t, err, `store "counts": read`, "damaged")
	if !errors.As(err, new(*state.Error)) {
		t.Errorf("%v is not a state.Error: a policy could skip it", err)
	}
	_, _, err = store.Get("b")
	wantError(t, err, `store "counts": decode value: codec: int64 wants 8 bytes, got 3`)
	for _, err := range store.All() {
		wantError(t, err, `store "counts"`)
	}
	wantError(t, visitsStore(t).Restore(db.NewBatch(), []byte("short"), nil, 0), `store "visits": restore`, "at least 12 bytes")
}

// A value that cannot be encoded fails the commit, and the error names its key.
func TestUnencodableValue(t *testing.T) {
	ratios := state.NewKeyValue("ratios", codec.String, codec.JSON[float64]())
	set := openSet(t, state.NewMemory(), state.Options{}, ratios)
	if err := ratios.In(&step{set: set}).Put("ana", math.NaN(), 0); err != nil {
		t.Fatal(err)
	}
	err := set.Flush(nothing{}, func(state.Store, []byte, []byte, int64) error { return nil })
	wantError(t, err, `store "ratios": encode the value of key "ana": codec: json[float64]: json: unsupported value: NaN`)
}

func visitsStore(t *testing.T) state.Store {
	t.Helper()
	store, err := openSet(t, state.NewMemory(), state.Options{}, visits).Store("visits")
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// A database of version 1 is converted: its rows are kept, and the times come from the owner.
func TestFormat1(t *testing.T) {
	db := state.NewMemory()
	b := db.NewBatch()
	b.Set([]byte{0, 0, 'f'}, []byte{1})
	b.Set([]byte("\x00\x00svisits"), []byte("\x00\x01window 1m0s by key, windowed[string] → int64"))
	b.Set([]byte("\x00\x00scounts"), []byte("\x00\x02key-value string → int64"))
	b.Set([]byte("\x00\x00pvisits-log\x00\x00\x00\x03"), []byte("\x00\x00\x00\x00\x00\x00\x00\x2a"))
	window := func(minute byte) string { // ordered by time segment, key and start
		ms := binary.BigEndian.AppendUint64(nil, uint64(minute)*60_000)
		return "\x80" + string(ms[1:]) + "ana" + string(ms)
	}
	for minute := range byte(3) {
		b.Set([]byte("\x00\x01"+window(minute)), append(make([]byte, 15), minute+10))
	}
	b.Set([]byte("\x00\x02ana"), append(make([]byte, 15), 7))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	minutes := func(opts state.Options) (all []int64) {
		t.Helper()
		set := openSet(t, db, opts, visits, counts)
		defer set.Close()
		for row, err := range visits.In(&step{set: set}).All() {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, row.Value)
		}
		if n, _, err := counts.In(&step{set: set}).Get("ana"); n != 7 || err != nil {
			t.Errorf("the count is %d, %v; want 7", n, err)
		}
		if at, _, err := set.Position("visits-log", 3); at != 42 || err != nil {
			t.Errorf("the position is %d, %v; want 42", at, err)
		}
		return all
	}
	hour := time.Hour.Milliseconds()
	if got := minutes(state.Options{Times: state.Times{"": hour + 90_000}}); !slices.Equal(got, []int64{12}) {
		t.Errorf("at 01:01:30 the windows are %v, want [12]", got)
	}
	if v, _, err := db.Get(nil, []byte{0, 0, 'f'}); !slices.Equal(v, []byte{2}) || err != nil {
		t.Errorf("the format is now %v, %v; want [2]", v, err)
	}
	// The database contains the time, but the owner's time takes precedence.
	if got := minutes(state.Options{}); !slices.Equal(got, []int64{12}) {
		t.Errorf("opened without times, the windows are %v, want [12]", got)
	}
	if got := minutes(state.Options{Times: state.Times{"visits": hour}}); !slices.Equal(got, []int64{10, 11, 12}) {
		t.Errorf("at 01:00 the windows are %v, want [10 11 12]", got)
	}
}

// A timestamp that Kafka cannot store is rejected when it is set, not when the changelog is written.
func TestImpossibleTimestamps(t *testing.T) {
	store := counts.In(&step{set: openSet(t, state.NewMemory(), state.Options{}, counts)})
	for _, ms := range []int64{-1, state.LatestTime + 1, 1_767_225_600_000_000_000} {
		want := fmt.Sprintf(`state: store "counts": write: the timestamp, %d ms, is not within the years 1970 to 2262`, ms)
		wantError(t, store.Put("ana", 1, ms), want)
		wantError(t, store.Delete("ana", ms), want)
		_, err := store.Update("ana", ms, func(n int64, _ bool) int64 { return n })
		wantError(t, err, want)
		_, err = store.Replace("ana", 1, ms)
		wantError(t, err, want)
		_, err = store.Remove("ana", ms)
		wantError(t, err, want)
	}
	if _, found, err := store.Get("ana"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	if err := store.Put("ana", 1, state.LatestTime); err != nil {
		t.Error(err)
	}
}
