package state_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

var sessions = state.NewKeyValue("sessions", codec.Codec[session](codec.Windowed(codec.String).Sessions()), codec.Int64).
	Sessions(10*time.Millisecond, time.Second)

type session = codec.WindowKey[string]

func ms(n int64) time.Time { return time.UnixMilli(n).UTC() }

// FetchKey finds the sessions of a key that overlap a time range, however long they are.
func TestSessionsOfAKey(t *testing.T) {
	db := state.NewMemory()
	set := openSet(t, db, state.Options{}, sessions, visits, words)
	defer set.Close()
	store := sessions.In(&step{set: set})
	put := func(key string, start, end int64) {
		if err := store.Put(session{Key: key, Start: ms(start), End: ms(end)}, start, end); err != nil {
			t.Fatal(err)
		}
	}
	put("ana", 0, 5)
	put("ana", 20, 220) // through many buckets
	commit(t, set)
	put("ana", 300, 300)
	put("anabel", 20, 30)
	put("an", 20, 30)
	for _, c := range []struct {
		from, to int64
		want     []int64
	}{
		{-10, 10, []int64{0}},
		{5, 20, []int64{0, 20}},
		{6, 19, nil},
		{100, 120, []int64{20}},
		{220, 299, []int64{20}},
		{221, 300, []int64{300}},
		{0, 1000, []int64{0, 20, 300}},
		{301, 1000, nil},
	} {
		rows, err := collect(store.FetchKey(session{Key: "ana"}, ms(c.from), ms(c.to)))
		var got []int64
		for _, row := range rows {
			got = append(got, row.Value)
		}
		if !slices.Equal(got, c.want) || err != nil {
			t.Errorf("the sessions in [%d, %d] begin at %v, %v; want %v", c.from, c.to, got, err, c.want)
		}
	}
	_, err := collect(words.In(&step{set: set}).FetchKey("ana", ms(0), ms(1)))
	wantError(t, err, `store "words": fetch`, "declare it with WindowedByKey, Sessions or NewWindow")
}

// The timestamp of a session is its end, also if Kafka Streams wrote the changelog, with the time of a late record.
func TestRestoreSession(t *testing.T) {
	db := state.NewMemory()
	set := openSet(t, db, state.Options{}, sessions)
	defer set.Close()
	store, err := set.Store("sessions")
	if err != nil {
		t.Fatal(err)
	}
	key := session{Key: "ana", Start: ms(1), End: ms(9)}
	encoded, _ := codec.Windowed(codec.String).Sessions().Append(nil, key)
	b := db.NewBatch()
	if err := store.Restore(b, encoded, make([]byte, 8), 3); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, timestamp, found, err := sessions.In(&step{set: set}).GetWithTime(key); timestamp != 9 || !found || err != nil {
		t.Errorf("the timestamp of the session is %d, %v, %v; want 9", timestamp, found, err)
	}
	wantError(t, store.Restore(b, make([]byte, 15), nil, 0), "the changelog key of a session has at least 16 bytes, got 15")
}
