package statetest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// versionHistory is the history of the versioned store under test, in ms.
const versionHistory = 10

var prices = state.NewVersioned("prices", codec.String, codec.String, versionHistory*time.Millisecond)

// versionModel is what a versioned store must hold: all versions ever written, and the time.
type versionModel struct {
	versions map[string][]version // by time
	now      int64
}

type version struct {
	timestamp int64
	value     string // "" is a deletion
}

func (m versionModel) clone() versionModel {
	c := versionModel{map[string][]version{}, m.now}
	for key, versions := range m.versions {
		c.versions[key] = slices.Clone(versions)
	}
	return c
}

// put adds a version and reports whether it is written, and whether it is the latest.
func (m *versionModel) put(key string, v version) (written, latest bool) {
	if v.timestamp < m.now-versionHistory {
		return false, false
	}
	m.now = max(m.now, v.timestamp)
	all := m.versions[key]
	at, found := slices.BinarySearchFunc(all, v, func(a, b version) int { return cmp.Compare(a.timestamp, b.timestamp) })
	if found {
		all[at] = v
	} else {
		all = slices.Insert(all, at, v)
	}
	m.versions[key] = all
	return true, at == len(all)-1
}

// get returns the version as of a time.
func (m *versionModel) get(key string, at int64) string {
	all := m.versions[key]
	for i, v := range slices.Backward(all) {
		if v.timestamp <= at && (i == len(all)-1 || at >= m.now-versionHistory) {
			return v.String()
		}
		if v.timestamp <= at {
			break
		}
	}
	return ""
}

func (v version) String() string {
	if v.value == "" {
		return ""
	}
	return fmt.Sprintf("%s@%d", v.value, v.timestamp)
}

// versionMachine is a versioned store and its model.
type versionMachine struct {
	db        state.DB
	set       *state.Set
	store     *state.Versioned[string, string]
	now, kept versionModel // with uncommitted changes, and without
	log       []record     // the changelog
	times     state.Times  // of the last commit
	budget    int64
}

func testVersioned(t *testing.T, open Open) {
	dirs := 0
	rapid.Check(t, func(rt *rapid.T) {
		dirs++
		m := &versionMachine{
			db: open(t, fmt.Sprint(t.TempDir(), dirs)), budget: rapid.SampledFrom([]int64{1, 2000, 1 << 20}).Draw(rt, "budget"),
			now: versionModel{versions: map[string][]version{}, now: -1 << 40}, times: state.Times{},
		}
		m.kept = m.now.clone()
		defer func() { m.db.Close() }()
		m.open(rt)
		defer func() { m.set.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"record":  m.record,
			"fail":    m.fail,
			"border":  m.border,
			"commit":  m.commit,
			"reopen":  m.reopen,
			"restore": func(rt *rapid.T) { dirs++; m.restore(rt, open(t, fmt.Sprint(t.TempDir(), dirs))) },
		})
	})
}

func (m *versionMachine) open(rt *rapid.T) {
	set, err := state.OpenSet(m.db, []state.Definition{prices}, state.Options{Budget: state.NewBudget(m.budget), Times: m.times})
	must(rt, err)
	m.set, m.store = set, prices.In(handles{rt, set})
	m.set.Begin()
}

func drawVersionKey(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"", "a", "a\xff\xff", "b", "b\x00\x01"}).Draw(rt, "key")
}

// put writes a version to the store and to the model.
func (m *versionMachine) put(rt *rapid.T) {
	key := drawVersionKey(rt)
	v := version{timestamp: rapid.Int64Range(max(m.now.now-15, 0), max(m.now.now, 0)+6).Draw(rt, "time"), value: strconv.Itoa(rapid.IntRange(0, 9).Draw(rt, "value"))}
	before := m.now.get(key, 1<<50)
	var c state.VersionChange[string]
	var err error
	if rapid.IntRange(0, 3).Draw(rt, "delete") == 0 {
		v.value = ""
		c, err = m.store.Delete(key, v.timestamp)
	} else {
		c, err = m.store.Put(key, v.value, v.timestamp)
	}
	must(rt, err)
	written, latest := m.now.put(key, v)
	old := ""
	if c.Had {
		old = version{c.OldTimestamp, c.Old}.String()
	}
	equal(rt, "the change of "+key, fmt.Sprint(old, c.Written, c.Latest), fmt.Sprint(before, written, latest))
}

func (m *versionMachine) record(rt *rapid.T) {
	m.set.Begin()
	for range rapid.IntRange(1, 3).Draw(rt, "puts") {
		m.put(rt)
	}
}

// fail rolls a record back.
func (m *versionMachine) fail(rt *rapid.T) {
	before := m.now.clone()
	m.record(rt)
	m.set.Undo()
	m.now = before
}

// border rolls a part of a record back.
func (m *versionMachine) border(rt *rapid.T) {
	m.record(rt)
	before, mark := m.now.clone(), m.set.Mark()
	m.put(rt)
	m.set.UndoTo(mark)
	m.now = before
}

func (m *versionMachine) commit(rt *rapid.T) {
	b := m.db.NewBatch()
	defer b.Close()
	must(rt, m.set.Flush(b, func(_ state.Store, key, value []byte, timestamp int64) error {
		m.log = append(m.log, record{slices.Clone(key), slices.Clone(value), timestamp})
		return nil
	}))
	m.set.Expire(b)
	m.times = state.Times{}
	m.set.Times(func(name string, ms int64) { m.times[name] = ms })
	must(rt, b.Commit())
	m.set.Committed()
	m.kept = m.now.clone()
}

func (m *versionMachine) reopen(rt *rapid.T) {
	m.set.Close()
	m.open(rt)
	m.now = m.kept.clone()
}

// restore continues on another database that is restored from the changelog, or from a compacted one whose older part
// has the last record of each key only, or from a dump.
func (m *versionMachine) restore(rt *rapid.T, db state.DB) {
	log := m.log
	switch rapid.SampledFrom([]string{"log", "compacted", "dump"}).Draw(rt, "from") {
	case "compacted":
		log = compacted(log, m.kept.now-2*versionHistory)
	case "dump":
		log = nil
		store, err := m.set.Store("prices")
		must(rt, err)
		must(rt, store.Dump(func(key, value []byte, timestamp int64) error {
			log = append(log, record{slices.Clone(key), slices.Clone(value), timestamp})
			return nil
		}))
	}
	m.set.Close()
	must(rt, m.db.Close())
	m.db = db
	m.open(rt)
	store, err := m.set.Store("prices")
	must(rt, err)
	for part := range slices.Chunk(log, 3) {
		b := m.db.NewBatch()
		for _, r := range part {
			must(rt, store.Restore(b, r.key, r.value, r.timestamp))
		}
		must(rt, b.Commit())
		must(rt, b.Close())
	}
	m.now, m.log = m.kept.clone(), log
}

// compacted removes what Kafka may remove: before the first record that is not older than a time, all records of a key
// but the last.
func compacted(log []record, since int64) []record {
	end := slices.IndexFunc(log, func(r record) bool { return r.timestamp >= since })
	if end < 0 {
		end = len(log)
	}
	last := map[string]int{}
	for i, r := range log[:end] {
		last[string(r.key)] = i
	}
	var rest []record
	for i, r := range log[:end] {
		if last[string(r.key)] == i {
			rest = append(rest, r)
		}
	}
	return append(rest, log[end:]...)
}

// check compares what can be read with the model.
func (m *versionMachine) check(rt *rapid.T) {
	for _, key := range []string{"", "a", "a\xff\xff", "b", "b\x00\x01"} {
		value, at, found, err := m.store.GetWithTime(key)
		must(rt, err)
		equal(rt, "latest "+key, found, m.now.get(key, 1<<50) != "")
		if found {
			equal(rt, "latest "+key, version{at, value}.String(), m.now.get(key, 1<<50))
		}
		for asOf := max(m.now.now-13, 0); asOf <= m.now.now+1; asOf++ {
			value, at, found, err := m.store.GetAsOf(key, asOf)
			must(rt, err)
			got := ""
			if found {
				got = version{at, value}.String()
			}
			equal(rt, fmt.Sprintf("%q as of %d, at %d", key, asOf, m.now.now), got, m.now.get(key, asOf))
		}
	}
	var got, all []string
	for row, err := range m.store.All() {
		must(rt, err)
		got = append(got, fmt.Sprintf("%q=%v", row.Key, version{row.Timestamp, row.Value}))
	}
	for _, key := range []string{"", "a", "a\xff\xff", "b", "b\x00\x01"} {
		if v := m.now.get(key, 1<<50); v != "" {
			all = append(all, fmt.Sprintf("%q=%s", key, v))
		}
	}
	equal(rt, "all rows", fmt.Sprint(got), fmt.Sprint(all))
}

// equal fails the test if two values differ.
func equal[T comparable](rt *rapid.T, what string, got, want T) {
	rt.Helper()
	if got != want {
		rt.Fatalf("%s: %v, want %v", what, got, want)
	}
}
