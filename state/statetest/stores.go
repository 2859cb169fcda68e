package statetest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/state"
)

// RunStores compares every kind of store with a Go map under random handlers, failures, commits, crashes and restarts,
// with different cache budgets. Reads must match the map, and the changelog must match record by record. A store
// restored from the changelog must have the same contents.
func RunStores(t *testing.T, open Open) {
	t.Run("key-value", func(t *testing.T) { testStores(t, open, keyValue) })
	t.Run("key-value of lists", func(t *testing.T) { testStores(t, open, lists) })
	t.Run("windows by start", func(t *testing.T) { testStores(t, open, windowsByStart) })
	t.Run("windows by key", func(t *testing.T) { testStores(t, open, windowsByKey) })
	t.Run("sessions", func(t *testing.T) { testStores(t, open, sessions) })
	t.Run("versioned", func(t *testing.T) { testVersioned(t, open) })
}

// key is the key of any store under test; start is 0 for stores without windows.
type key struct {
	name  string
	start int64
}

// row is the value and the timestamp of a key.
type row struct {
	value     string
	timestamp int64
}

// machine runs a store and its model in parallel.
type machine struct {
	open   func() state.DB
	budget int64

	db      state.DB
	set     *state.Set
	subject subject
	batch   state.Batch

	model
	changelog []record // committed state
	pending   []record // flushed state

	times, pendingTimes state.Times // times of the clocks, committed and flushed

	before struct { // a snapshot and the state that was committed when it was taken
		moment
		snapshot state.Snapshot
	}
}

// record is a changelog record.
type record struct {
	key, value []byte
	timestamp  int64
}

// model is the expected contents of a store: now, at the last Begin, at the last Flush, and at the last commit.
type model struct {
	now, begun, flushed, committed moment
}

type moment struct {
	rows  map[key]row
	dirty map[key]int64 // with the timestamp of the last change
	time  int64         // the greatest timestamp written; math.MinInt64 before the first
}

func (m moment) clone() moment {
	return moment{maps.Clone(m.rows), maps.Clone(m.dirty), m.time}
}

// horizon returns the start of the oldest window that is not expired at a time.
func horizon(time int64) int64 {
	if time <= 0 {
		return math.MinInt64
	}
	return time - retention
}

func testStores(t *testing.T, open Open, kind func() subject) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		m := &machine{
			open:    func() state.DB { return open(t, dir) },
			budget:  rapid.SampledFrom([]int64{0, 700, 1 << 20}).Draw(rt, "budget"),
			subject: kind(),
		}
		empty := moment{map[key]row{}, map[key]int64{}, math.MinInt64}
		m.model = model{empty, empty.clone(), empty.clone(), empty.clone()}
		m.start(rt)
		defer m.stop(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"record":  m.record,
			"record2": m.record, // these actions are chosen more often
			"record3": m.record,
			"fail":    m.fail,
			"flush":   m.flush,
			"commit":  m.commit,
			"keep":    m.keep,
			"restart": m.restart,
			"restore": func(rt *rapid.T) { m.restore(rt, open(t, t.TempDir())) },
		})
	})
}

// start opens the database and the store, and checks that the store has kept its time.
func (m *machine) start(rt *rapid.T) {
	m.db = m.open()
	opts := state.Options{Budget: state.NewBudget(m.budget)}
	if rapid.Bool().Draw(rt, "told the times") {
		opts.Times = m.times
	}
	m.set, m.subject = openSet(rt, m.db, m.subject, opts)
}

func openSet(rt *rapid.T, db state.DB, s subject, opts state.Options) (*state.Set, subject) {
	set, err := state.OpenSet(db, []state.Definition{s.definition()}, opts)
	must(rt, err)
	return set, s.in(handles{rt, set})
}

// handles opens the store of a subject, as a handler does.
type handles struct {
	rt  *rapid.T
	set *state.Set
}

func (h handles) Store(name string) (state.Store, error) { return h.set.Store(name) }
func (h handles) Fail(err error)                         { h.rt.Fatalf("the handler cannot open the store: %v", err) }

func (m *machine) stop(rt *rapid.T) {
	m.forget(rt)
	if m.batch != nil {
		must(rt, m.batch.Close())
		m.batch = nil
	}
	m.set.Close()
	must(rt, m.db.Close())
}

// record simulates a record with some changes. Their timestamps advance the store's time for the next record.
func (m *machine) record(rt *rapid.T) {
	m.set.Begin()
	m.begun = m.now.clone()
	m.changes(rt)
}

// fail simulates a record that fails after some changes.
func (m *machine) fail(rt *rapid.T) {
	m.set.Begin()
	m.begun = m.now.clone()
	m.changes(rt)
	m.set.Undo()
	m.now = m.begun.clone()
	if rapid.Bool().Draw(rt, "again") {
		m.changes(rt)
		m.set.Undo()
		m.now = m.begun.clone()
	}
}

func (m *machine) changes(rt *rapid.T) {
	for range rapid.IntRange(0, 4).Draw(rt, "changes") {
		m.change(rt)
	}
}

// flush starts a commit. Records may follow before commit completes it.
func (m *machine) flush(rt *rapid.T) {
	if m.batch != nil {
		rt.Skip("a commit is in progress")
	}
	m.batch = m.db.NewBatch()
	m.pending = nil
	must(rt, m.set.Flush(m.batch, func(_ state.Store, key, value []byte, timestamp int64) error {
		m.pending = append(m.pending, record{slices.Clone(key), slices.Clone(value), timestamp})
		return nil
	}))
	if diff := cmp.Diff(m.expectedLog(), renderLog(m.pending)); diff != "" {
		rt.Fatalf("changelog (-want +got):\n%s", diff)
	}
	m.now.dirty = map[key]int64{}
	m.flushed, m.begun = m.now.clone(), m.now.clone()
	m.pendingTimes = state.Times{}
	m.set.Times(func(name string, ms int64) { m.pendingTimes[name] = ms })
	if rapid.Bool().Draw(rt, "expire") {
		m.set.Expire(m.batch)
	}
	m.set.SetPosition(m.batch, "topic", 3, int64(len(m.changelog)+len(m.pending)))
}

// expectedLog returns the changelog records that a Flush should write, as text.
func (m *machine) expectedLog() []string {
	var lines []string
	for _, k := range m.subject.sorted(slices.Collect(maps.Keys(m.now.dirty))) {
		value := "∅"
		if r, found := m.now.rows[k]; found {
			value = m.subject.encode(r.value)
		}
		lines = append(lines, fmt.Sprintf("%q=%s@%d", m.subject.changelogKey(k), value, m.now.dirty[k]))
	}
	return lines
}

func renderLog(records []record) []string {
	var lines []string
	for _, r := range records {
		value := "∅"
		if r.value != nil {
			value = string(r.value)
		}
		lines = append(lines, fmt.Sprintf("%q=%s@%d", r.key, value, r.timestamp))
	}
	return lines
}

// commit completes a started commit, or makes a whole one.
func (m *machine) commit(rt *rapid.T) {
	if m.batch == nil {
		m.flush(rt)
	}
	must(rt, m.batch.Commit())
	must(rt, m.batch.Close())
	m.batch = nil
	m.set.Committed()
	m.committed = m.flushed.clone()
	m.times = m.pendingTimes
	m.changelog = append(m.changelog, m.pending...)
	if m.set.Dirty() == 0 && m.budget == 0 && m.set.CachedBytes() != 0 {
		rt.Fatalf("without a budget, %d bytes stay in the cache after a commit", m.set.CachedBytes())
	}
	if position, found, err := m.set.Position("topic", 3); position != int64(len(m.changelog)) || !found || err != nil {
		rt.Fatalf("Position = %d, %v, %v; want %d", position, found, err, len(m.changelog))
	}
}

// restart simulates a crash of the process.
func (m *machine) restart(rt *rapid.T) {
	m.stop(rt)
	m.now, m.begun = m.committed.clone(), m.committed.clone()
	m.start(rt)
}

// restore restores another database from the changelog and compares it.
func (m *machine) restore(rt *rapid.T, db state.DB) {
	defer db.Close()
	set, copied := openSet(rt, db, m.subject, state.Options{Budget: state.NewBudget(m.budget), Times: m.times})
	defer set.Close()
	store := set.All()[0]
	b := db.NewBatch()
	for _, r := range m.changelog {
		must(rt, store.Restore(b, r.key, r.value, r.timestamp))
	}
	must(rt, b.Commit())
	must(rt, b.Close())
	if diff := cmp.Diff(m.visible(m.committed, m.committed.time), collect(rt, copied.all())); diff != "" {
		rt.Fatalf("restored from the changelog (-want +got):\n%s", diff)
	}
}

// visible returns the rows that are not expired at a time, as text.
func (m *machine) visible(at moment, time int64) []string {
	var lines []string
	for _, k := range m.subject.sorted(slices.Collect(maps.Keys(at.rows))) {
		if !m.subject.windowed() || k.start >= horizon(time) {
			lines = append(lines, line(k, at.rows[k]))
		}
	}
	return lines
}

func line(k key, r row) string {
	return fmt.Sprintf("%s@%d=%s@%d", k.name, k.start, r.value, r.timestamp)
}

// check compares all reads with the model: by a handler, and in views of the last commit and of an earlier one.
func (m *machine) check(rt *rapid.T) {
	if m.set.Dirty() != len(m.now.dirty) {
		rt.Fatalf("Dirty = %d, want %d", m.set.Dirty(), len(m.now.dirty))
	}
	m.reads(rt, "store", m.subject, m.now, m.begun.time)
	snapshot := m.db.Snapshot()
	defer func() { must(rt, snapshot.Close()) }()
	view, err := m.subject.over(snapshot)
	must(rt, err)
	m.reads(rt, "view", view, m.committed, m.committed.time)
	encoded := 0
	for row, err := range m.subject.definition().Encoded(snapshot) {
		must(rt, err)
		if row.Key == nil || row.Value == nil {
			rt.Fatalf("the encoded row %q=%q contains nil", row.Key, row.Value)
		}
		encoded++
	}
	if all := m.visible(m.committed, m.committed.time); encoded != len(all) {
		rt.Fatalf("%d encoded rows, want %d", encoded, len(all))
	}
	if m.before.snapshot != nil {
		view, err := m.subject.over(m.before.snapshot)
		must(rt, err)
		m.reads(rt, "view of before", view, m.before.moment, m.before.time)
	}
}

// keep takes a snapshot, which later commits must not change.
func (m *machine) keep(rt *rapid.T) {
	m.forget(rt)
	m.before.snapshot, m.before.moment = m.db.Snapshot(), m.committed.clone()
}

func (m *machine) forget(rt *rapid.T) {
	if m.before.snapshot != nil {
		must(rt, m.before.snapshot.Close())
		m.before.snapshot = nil
	}
}

// reads compares reads with the expected contents at a time.
func (m *machine) reads(rt *rapid.T, what string, s subject, at moment, time int64) {
	all := m.visible(at, time)
	if diff := cmp.Diff(all, collect(rt, s.all())); diff != "" {
		rt.Fatalf("%s: All (-want +got):\n%s", what, diff)
	}
	alive := func(k key) bool { return !s.windowed() || k.start >= horizon(time) }
	k := m.drawKey(rt)
	value, timestamp, found, err := s.get(k)
	r, want := at.rows[k]
	want = want && alive(k)
	if !want {
		r = row{}
	}
	if err != nil || found != want || value != r.value || timestamp != r.timestamp {
		rt.Fatalf("%s: Get(%v) = %q, %d, %v, %v; want %q, %d, %v", what, k, value, timestamp, found, err, r.value, r.timestamp, want)
	}
	from, to := m.drawKey(rt), m.drawKey(rt)
	if diff := cmp.Diff(m.between(all, at, from, to), collect(rt, s.span(from, to))); diff != "" {
		rt.Fatalf("%s: from %v to %v (-want +got):\n%s", what, from, to, diff)
	}
	if scan := s.fetch(from.name, from.start, to.start); scan != nil {
		var of []string
		for _, k := range s.sorted(slices.Collect(maps.Keys(at.rows))) {
			if k.name == from.name && k.start >= from.start && k.start <= to.start && alive(k) {
				of = append(of, line(k, at.rows[k]))
			}
		}
		if diff := cmp.Diff(of, collect(rt, scan)); diff != "" {
			rt.Fatalf("%s: Fetch(%q, %d, %d) (-want +got):\n%s", what, from.name, from.start, to.start, diff)
		}
	}
}

// alive reports whether a key is not expired.
func (m *machine) alive(k key) bool {
	return !m.subject.windowed() || k.start >= horizon(m.begun.time)
}

// between returns the rows in a range.
func (m *machine) between(all []string, at moment, from, to key) []string {
	inside := map[string]bool{}
	for k, r := range at.rows {
		if m.subject.inside(k, from, to) {
			inside[line(k, r)] = true
		}
	}
	var lines []string
	for _, l := range all {
		if inside[l] {
			lines = append(lines, l)
		}
	}
	return lines
}

func (m *machine) drawKey(rt *rapid.T) key {
	k := key{name: strings.Repeat("a", rapid.IntRange(0, 3).Draw(rt, "key"))}
	if m.subject.windowed() {
		k.start = rapid.Int64Range(-30, 60).Draw(rt, "start")
	}
	return k
}

// change makes one random change by a handler.
func (m *machine) change(rt *rapid.T) {
	k := m.drawKey(rt)
	timestamp := max(rapid.Int64Range(0, 100).Draw(rt, "timestamp"), k.start)
	old, had := m.now.rows[k]
	alive := m.alive(k)
	if !alive {
		old, had = row{}, false
	}
	letter := rapid.StringMatching(`[x-z]`).Draw(rt, "value")
	c := applied{old: old, had: had, alive: alive, timestamp: timestamp}
	verb := rapid.SampledFrom([]string{"put", "delete", "update", "update", "modify", "replace", "remove"}).Draw(rt, "verb")
	switch verb {
	case "put":
		must(rt, m.subject.put(k, letter, timestamp))
		c.now, c.has = letter, true
	case "delete":
		must(rt, m.subject.delete(k, timestamp))
	case "replace":
		c.now, c.has = letter, true
		c.got = m.subject.replace(rt, k, letter, timestamp)
	case "remove":
		c.got = m.subject.remove(rt, k, timestamp)
	case "update":
		c.now, c.has = old.value+letter, true
		c.got = m.subject.update(rt, k, timestamp, letter)
	case "modify": // shortens long values
		const most = 2
		c.now, c.has = old.value+letter, len(old.value) < most
		c.got = m.subject.modify(rt, k, timestamp, letter, most)
	}
	if had && (verb == "update" || verb == "modify") {
		c.timestamp = max(timestamp, old.timestamp)
	}
	c.compare(rt, verb)
	if !alive || verb == "modify" && !had && !c.has {
		return
	}
	m.now.dirty[k] = c.timestamp
	m.now.time = max(m.now.time, c.timestamp)
	if c.has {
		m.now.rows[k] = row{c.now, c.timestamp}
	} else {
		delete(m.now.rows, k)
	}
}

// applied is a change of the model, and the Change that the store returned, if the operation returns one.
type applied struct {
	old       row
	now       string
	had, has  bool
	alive     bool
	timestamp int64
	got       *state.Change[string]
}

func (c applied) compare(rt *rapid.T, verb string) {
	if c.got == nil {
		return
	}
	want := state.Change[string]{Old: c.old.value, Had: c.had, OldTimestamp: c.old.timestamp, Has: c.has, Timestamp: c.timestamp}
	if c.has {
		want.New = c.now
	}
	if !c.alive {
		want = state.Change[string]{}
	}
	if diff := cmp.Diff(want, *c.got); diff != "" {
		rt.Fatalf("%s returned (-want +got):\n%s", verb, diff)
	}
}
