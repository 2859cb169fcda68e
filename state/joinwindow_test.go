package state_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

var (
	pairs = state.NewJoinWindow("pairs", codec.String, codec.String, 10*time.Millisecond, 25*time.Millisecond)
	alone = state.NewUnmatched("alone", codec.String, codec.String, codec.String)
)

// joinStores is a set with a store of records and one of unmatched records.
type joinStores struct {
	t     *testing.T
	db    state.DB
	set   *state.Set
	rows  *state.JoinWindow
	alone *state.Unmatched
	log   []string // changelog records
}

func newJoinStores(t *testing.T, db state.DB) *joinStores {
	set := openSet(t, db, state.Options{}, pairs, alone)
	handles := &step{set: set}
	s := &joinStores{t: t, db: db, set: set, rows: pairs.In(handles), alone: alone.In(handles)}
	set.Begin()
	return s
}

func (s *joinStores) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *joinStores) add(key string, at int64, values ...string) (added bool) {
	s.t.Helper()
	for _, v := range values {
		var err error
		added, err = s.rows.Add([]byte(key), []byte(v), at)
		s.must(err)
	}
	return added
}

func (s *joinStores) fetch(key string, from, to int64) string {
	s.t.Helper()
	var found []string
	_, err := s.rows.Fetch([]byte(key), from, to, func(value []byte, at int64) error {
		found = append(found, fmt.Sprintf("%d=%s", at, value))
		return nil
	})
	s.must(err)
	return strings.Join(found, " ")
}

func (s *joinStores) take(left, right int64) string {
	s.t.Helper()
	var taken []string
	s.must(s.alone.TakeBefore(left, right, func(onLeft bool, key, value []byte, at int64) error {
		taken = append(taken, fmt.Sprintf("%d %v %s=%s", at, onLeft, key, value))
		return nil
	}))
	return strings.Join(taken, ", ")
}

// commit writes everything into the database.
func (s *joinStores) commit() {
	s.t.Helper()
	b := s.db.NewBatch()
	s.must(s.set.Flush(b, func(_ state.Store, key, value []byte, at int64) error {
		s.log = append(s.log, fmt.Sprintf("%d %x=%x", at, key, value))
		return nil
	}))
	s.must(b.Commit())
	s.set.Committed()
	s.set.Begin()
}

func (s *joinStores) want(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// Records of one key and time stay apart, in the order in which they came, before and after a commit and a restart.
func TestJoinWindow(t *testing.T) {
	s := newJoinStores(t, state.NewMemory())
	s.add("a", 5, "x", "y")
	s.add("b", 5, "z")
	s.add("a", 12, "later")
	s.add("a", 5, "w", "", "v")
	all := "5=x 5=y 5=w 5= 5=v 12=later"
	s.want("before the commit", s.fetch("a", 0, 12), all)
	s.commit()
	s.want("after the commit", s.fetch("a", 0, 12), all)
	s.want("between", s.fetch("a", 6, 12), "12=later")
	s.want("nothing between", s.fetch("a", 6, 11), "")
	s.want("backwards", s.fetch("a", 5, 4), "")
	s.want("another key", s.fetch("b", -5, 100), "5=z")

	s = newJoinStores(t, s.db)
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprint(i))
	}
	s.add("a", 5, many...)
	s.want("after a restart", s.fetch("a", 5, 5), "5=x 5=y 5=w 5= 5=v 5="+strings.Join(many, " 5="))
	s.set.Undo()
	s.want("after an undo", s.fetch("a", 0, 12), all)
}

// A record as old as the retention is not kept, and no longer found at once.
func TestJoinWindowExpires(t *testing.T) {
	s := newJoinStores(t, state.NewMemory())
	s.add("a", 5, "x")
	s.add("a", 29, "y")
	s.want("just kept", s.fetch("a", 0, 100), "5=x 29=y")
	mark := s.set.Mark()
	s.add("a", 30, "z")
	s.want("expired", s.fetch("a", 0, 100), "29=y 30=z")
	if s.add("a", 5, "late") {
		t.Error("an expired record was added")
	}
	s.set.UndoTo(mark)
	s.want("after the undo", s.fetch("a", 0, 100), "5=x 29=y")
	if !s.add("a", 5, "late") {
		t.Error("a record that has not expired was refused")
	}
	if _, err := s.rows.Add([]byte("a"), nil, -1); err == nil {
		t.Error("a record before 1970 was added")
	}
}

// The changelogs have the bytes of Kafka Streams, and restore the stores.
func TestJoinStoresRestore(t *testing.T) {
	s := newJoinStores(t, state.NewMemory())
	s.add("k", 258, "x", "y")
	s.must(s.alone.Add(true, []byte("k"), []byte("x"), 258))
	s.must(s.alone.Add(true, []byte("k"), []byte("y"), 258))
	s.must(s.alone.Add(false, []byte("k"), nil, 259))
	s.commit()
	want := []string{
		"258 6b000000000000010200000000=78", // key, time, sequence number
		"258 6b000000000000010200000001=79",
		"258 0000000000000102016b=0100000002" + "000000020178" + "000000020179", // time, left, key
		"259 0000000000000103006b=0100000001" + "0000000100",
	}
	if diff := cmp.Diff(want, s.log); diff != "" {
		t.Errorf("the changelogs (-want +got):\n%s", diff)
	}

	again := newJoinStores(t, state.NewMemory())
	b := again.db.NewBatch()
	for _, name := range []string{"pairs", "alone"} {
		from, err := s.set.Store(name)
		s.must(err)
		to, err := again.set.Store(name)
		s.must(err)
		s.must(from.Dump(func(key, value []byte, at int64) error { return to.Restore(b, key, slices.Clone(value), at) }))
	}
	s.must(b.Commit())
	again.want("restored", again.fetch("k", 0, 1000), "258=x 258=y")
	again.want("restored", again.take(1000, 1000), "258 true k=x, 258 true k=y, 259 false k=")
}

// Unmatched records leave by time, the right side first, then by key, and an undo brings them back.
func TestUnmatched(t *testing.T) {
	s := newJoinStores(t, state.NewMemory())
	for _, r := range []struct {
		left bool
		key  string
		at   int64
	}{{true, "b", 10}, {true, "a", 10}, {false, "z", 10}, {false, "a", 9}, {true, "a", 20}} {
		s.must(s.alone.Add(r.left, []byte(r.key), []byte("v"), r.at))
	}
	s.commit()
	s.want("nothing is closed", s.take(9, 9), "")
	s.must(s.alone.Remove(false, []byte("b"), 10)) // there is none
	s.must(s.alone.Remove(true, []byte("b"), 10))
	s.want("the right side", s.take(5, 10), "9 false a=v")
	s.want("both", s.take(11, 15), "10 false z=v, 10 true a=v")
	s.want("twice", s.take(11, 15), "")
	s.set.Undo()
	s.want("after an undo", s.take(11, 15), "9 false a=v, 10 false z=v, 10 true a=v, 10 true b=v")
	s.commit()
	s.want("the rest", s.take(100, 100), "20 true a=v")
	failed := errors.New("failed")
	s.set.Undo()
	if err := s.alone.TakeBefore(100, 100, func(bool, []byte, []byte, int64) error { return failed }); err != failed {
		t.Errorf("TakeBefore returned %v", err)
	}
}

// Damaged lists are an error of the store.
func TestUnmatchedDamaged(t *testing.T) {
	key := []byte("\x00\x00\x00\x00\x00\x00\x00\x05\x01k")
	for _, list := range []string{"", "\x01", "\x00\x00\x00\x00\x01", "\x01\x00\x00\x00\x01", "\x01\x00\x00\x00\x01\x00\x00\x00\x00\x01", "\x01\x00\x00\x00\x01\x00\x00\x00\x09\x01v"} {
		s := newJoinStores(t, state.NewMemory())
		store, err := s.set.Store("alone")
		s.must(err)
		b := s.db.NewBatch()
		s.must(store.Restore(b, key, []byte(list), 5))
		s.must(b.Commit())
		err = s.alone.TakeBefore(100, 100, func(bool, []byte, []byte, int64) error { return nil })
		var fault *state.Error
		if !errors.Is(err, state.ErrDamaged) || !errors.As(err, &fault) {
			t.Errorf("%q: %v", list, err)
		}
	}
}
