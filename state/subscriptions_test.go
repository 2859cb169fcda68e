package state_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

var subscribers = state.NewSubscriptions("subscribers", codec.String, codec.Int64)

// TestSubscriptions: the subscriptions of a foreign key are found, uncommitted ones too, and no others: not those of a
// longer key that begins with the same bytes.
func TestSubscriptions(t *testing.T) {
	db := state.NewMemory()
	set := openSet(t, db, state.Options{Budget: state.NewBudget(0)}, subscribers)
	rows := subscribers.In(&step{set: set})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(foreign, primary, value string) {
		t.Helper()
		must(rows.Put([]byte(foreign), []byte(primary), []byte(value), 5))
	}
	want := func(foreign, want string) {
		t.Helper()
		var got []string
		must(rows.Each([]byte(foreign), func(primary, value []byte) error {
			got = append(got, fmt.Sprintf("%s=%s", primary, value))
			return nil
		}))
		if strings.Join(got, " ") != want {
			t.Errorf("%q has %q, want %q", foreign, got, want)
		}
	}
	var log []string
	commit := func() {
		t.Helper()
		b := db.NewBatch()
		must(set.Flush(b, func(_ state.Store, key, value []byte, at int64) error {
			log = append(log, fmt.Sprintf("%d %x=%x", at, key, value))
			return nil
		}))
		must(b.Commit())
		set.Committed()
		set.Begin()
	}
	set.Begin()
	put("a", "2", "x")
	put("a", "", "none")
	put("a", "1", "y")
	put("aa", "", "longer")
	put("", "a1", "empty")
	put("\xff\xff", "3", "last")
	want("a", "=none 1=y 2=x")
	want("aa", "=longer")
	want("", "a1=empty")
	want("\xff\xff", "3=last")
	want("b", "")
	commit()
	want("a", "=none 1=y 2=x")
	put("a", "1", "z")
	must(rows.Delete([]byte("a"), []byte("2"), 6))
	want("a", "=none 1=z")
	set.Undo()
	want("a", "=none 1=y 2=x")
	failed := errors.New("failed")
	if err := rows.Each([]byte("a"), func([]byte, []byte) error { return failed }); err != failed {
		t.Errorf("Each returned %v", err)
	}
	must(rows.Delete([]byte("a"), []byte("2"), 6))
	log = nil
	commit()
	if diff := cmp.Diff([]string{"6 000000016132="}, log); diff != "" {
		t.Errorf("the changelog (-want +got):\n%s", diff)
	}

	other := openSet(t, state.NewMemory(), state.Options{}, subscribers)
	from, err := set.Store("subscribers")
	must(err)
	to, err := other.Store("subscribers")
	must(err)
	b := other.DB().NewBatch()
	must(from.Dump(func(key, value []byte, at int64) error { return to.Restore(b, key, slices.Clone(value), at) }))
	must(b.Commit())
	rows = subscribers.In(&step{set: other})
	want("a", "=none 1=y")
}
