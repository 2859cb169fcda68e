package statetest

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/state"
)

// subject is a store under test, independent of its types. Its values are words; in a store of lists, the value is the
// list of their letters.
type subject interface {
	definition() state.Definition
	in(s state.Stores) subject
	over(r state.Reader) (subject, error) // a view, which only has reads
	windowed() bool

	get(k key) (value string, timestamp int64, found bool, err error)
	put(k key, value string, timestamp int64) error
	delete(k key, timestamp int64) error
	replace(rt *rapid.T, k key, value string, timestamp int64) *state.Change[string]
	remove(rt *rapid.T, k key, timestamp int64) *state.Change[string]
	update(rt *rapid.T, k key, timestamp int64, letter string) *state.Change[string]
	modify(rt *rapid.T, k key, timestamp int64, letter string, most int) *state.Change[string]

	all() rows
	span(from, to key) rows                 // Range, or FetchAll where there are windows
	fetch(name string, from, to int64) rows // nil without Fetch

	// The format of its rows.
	sorted(keys []key) []key
	inside(k, from, to key) bool
	changelogKey(k key) []byte
	encode(value string) string
}

// rows iterates over the rows of a store.
type rows iter.Seq2[shown, error]

type shown struct {
	key key
	row row
}

// collect returns the rows of an iteration as text.
func collect(rt *rapid.T, loop rows) []string {
	var lines []string
	for r, err := range loop {
		must(rt, err)
		lines = append(lines, line(r.key, r.row))
	}
	return lines
}

// view is the common interface of the views and handles of all stores.
type view[K, V any] interface {
	GetWithTime(key K) (V, int64, bool, error)
	All() iter.Seq2[state.Row[K, V], error]
	FetchAll(from, to time.Time) iter.Seq2[state.Row[K, V], error]
}

// ranger is a store without windows.
type ranger[K, V any] interface {
	Range(from, to K) iter.Seq2[state.Row[K, V], error]
}

// handle is the common interface of the handles of all stores.
type handle[K, V any] interface {
	view[K, V]
	Put(key K, value V, timestamp int64) error
	Delete(key K, timestamp int64) error
	Replace(key K, value V, timestamp int64) (state.Change[V], error)
	Remove(key K, timestamp int64) (state.Change[V], error)
	Update(key K, timestamp int64, f func(old V, found bool) V) (state.Change[V], error)
	Modify(key K, timestamp int64, f func(old V, found bool) (V, bool)) (state.Change[V], error)
}

const (
	windowSize    = 10 // ms
	retention     = 50 // ms
	sessionLength = 3  // ms
)

// store implements subject for a store with certain types.
type store[K, V any] struct {
	def    state.Definition
	open   func(s state.Stores) handle[K, V]
	look   func(r state.Reader) (view[K, V], error)
	reads  view[K, V]
	handle handle[K, V] // the same as reads; nil in a view
	keys   keys[K]
	values values[V]
}

// keys and values convert the model's keys and values to the store's. The test overwrites values after use, because a
// store must not share memory with its callers.
type keys[K any] struct {
	windows bool
	session bool
	lead    int64 // length of the time segment by which rows are ordered first
	make    func(key) K
	read    func(K) key
}

type values[V any] struct {
	make  func(string) V
	read  func(V) string
	grow  func(old V, letter string) V
	spoil func(V)
	json  bool
}

var (
	plainKeys = keys[string]{make: func(k key) string { return k.name }, read: func(s string) key { return key{name: s} }}
	byStart   = windowKeys(1)
	byKey     = windowKeys(windowSize)
	bySession = sessionKeys()

	words = values[string]{
		make:  func(s string) string { return s },
		read:  func(s string) string { return s },
		grow:  func(old, letter string) string { return old + letter },
		spoil: func(string) {},
	}
	letters = values[[]string]{
		make: func(s string) []string { return append(make([]string, 0, 8), strings.Split(s, "")...) },
		read: func(l []string) string { return strings.Join(l, "") },
		grow: func(old []string, letter string) []string { return append(old, letter) },
		spoil: func(l []string) {
			for i := range l {
				l[i] = "spoiled"
			}
		},
		json: true,
	}
)

func windowKeys(lead int64) keys[codec.WindowKey[string]] {
	return keys[codec.WindowKey[string]]{
		windows: true, lead: lead,
		make: func(k key) codec.WindowKey[string] {
			return codec.WindowKey[string]{Key: k.name, Start: time.UnixMilli(k.start)}
		},
		read: func(k codec.WindowKey[string]) key { return key{k.Key, k.Start.UnixMilli()} },
	}
}

// sessionKeys returns the keys of sessions of one length, of which the model knows the end.
func sessionKeys() keys[codec.WindowKey[string]] {
	sessions := windowKeys(windowSize)
	sessions.session = true
	sessions.make = func(k key) codec.WindowKey[string] {
		return codec.WindowKey[string]{Key: k.name, Start: time.UnixMilli(k.start - sessionLength), End: time.UnixMilli(k.start)}
	}
	sessions.read = func(k codec.WindowKey[string]) key { return key{k.Key, k.End.UnixMilli()} }
	return sessions
}

func keyValue() subject {
	def := state.NewKeyValue("words", codec.String, codec.String)
	return store[string, string]{
		def: def, keys: plainKeys, values: words,
		open: func(s state.Stores) handle[string, string] { return def.In(s) },
		look: func(r state.Reader) (view[string, string], error) { return def.View(r) },
	}
}

func lists() subject {
	def := state.NewKeyValue("lists", codec.String, codec.JSON[[]string]())
	return store[string, []string]{
		def: def, keys: plainKeys, values: letters,
		open: func(s state.Stores) handle[string, []string] { return def.In(s) },
		look: func(r state.Reader) (view[string, []string], error) { return def.View(r) },
	}
}

func windowsByStart() subject {
	type keyType = codec.WindowKey[string]
	keys := codec.Codec[keyType](codec.Windowed(codec.String).Size(windowSize * time.Millisecond))
	def := state.NewKeyValue("by-start", keys, codec.String).Windowed(windowSize*time.Millisecond, retention*time.Millisecond)
	return store[keyType, string]{
		def: def, keys: byStart, values: words,
		open: func(s state.Stores) handle[keyType, string] { return def.In(s) },
		look: func(r state.Reader) (view[keyType, string], error) { return def.View(r) },
	}
}

func windowsByKey() subject {
	type keyType = codec.WindowKey[string]
	def := state.NewWindow("by-key", codec.String, codec.JSON[[]string](), windowSize*time.Millisecond, retention*time.Millisecond)
	return store[keyType, []string]{
		def: def, keys: byKey, values: letters,
		open: func(s state.Stores) handle[keyType, []string] { return def.In(s) },
		look: func(r state.Reader) (view[keyType, []string], error) { return def.View(r) },
	}
}

func sessions() subject {
	type keyType = codec.WindowKey[string]
	keys := codec.Codec[keyType](codec.Windowed(codec.String).Sessions())
	def := state.NewKeyValue("sessions", keys, codec.String).Sessions(windowSize*time.Millisecond, retention*time.Millisecond)
	return store[keyType, string]{
		def: def, keys: bySession, values: words,
		open: func(s state.Stores) handle[keyType, string] { return sessionHandle{def.In(s)} },
		look: func(r state.Reader) (view[keyType, string], error) { return def.View(r) },
	}
}

// sessionHandle adds the Fetch of the other stores: by the end of sessions of one length.
type sessionHandle struct {
	*state.KeyValue[codec.WindowKey[string], string]
}

func (h sessionHandle) Fetch(name string, from, to time.Time) iter.Seq2[state.Row[codec.WindowKey[string], string], error] {
	return h.FetchKey(codec.WindowKey[string]{Key: name}, from, to.Add(-sessionLength*time.Millisecond))
}

func (s store[K, V]) definition() state.Definition { return s.def }
func (s store[K, V]) windowed() bool               { return s.keys.windows }

func (s store[K, V]) in(stores state.Stores) subject {
	s.handle = s.open(stores)
	s.reads = s.handle
	return s
}

func (s store[K, V]) over(r state.Reader) (subject, error) {
	var err error
	s.reads, err = s.look(r)
	s.handle = nil
	return s, err
}

// take converts a value of the store and then overwrites it.
func (s store[K, V]) take(v V) string {
	text := s.values.read(v)
	s.values.spoil(v)
	return text
}

func (s store[K, V]) get(k key) (string, int64, bool, error) {
	v, timestamp, found, err := s.reads.GetWithTime(s.keys.make(k))
	return s.take(v), timestamp, found, err
}

func (s store[K, V]) put(k key, value string, timestamp int64) error {
	v := s.values.make(value)
	err := s.handle.Put(s.keys.make(k), v, timestamp)
	s.values.spoil(v)
	return err
}

func (s store[K, V]) delete(k key, timestamp int64) error {
	return s.handle.Delete(s.keys.make(k), timestamp)
}

func (s store[K, V]) replace(rt *rapid.T, k key, value string, timestamp int64) *state.Change[string] {
	c, err := s.handle.Replace(s.keys.make(k), s.values.make(value), timestamp)
	return s.change(rt, c, err)
}

func (s store[K, V]) remove(rt *rapid.T, k key, timestamp int64) *state.Change[string] {
	c, err := s.handle.Remove(s.keys.make(k), timestamp)
	return s.change(rt, c, err)
}

func (s store[K, V]) update(rt *rapid.T, k key, timestamp int64, letter string) *state.Change[string] {
	c, err := s.handle.Update(s.keys.make(k), timestamp, func(old V, _ bool) V { return s.values.grow(old, letter) })
	return s.change(rt, c, err)
}

func (s store[K, V]) modify(rt *rapid.T, k key, timestamp int64, letter string, most int) *state.Change[string] {
	c, err := s.handle.Modify(s.keys.make(k), timestamp, func(old V, _ bool) (V, bool) {
		return s.values.grow(old, letter), len(s.values.read(old)) < most
	})
	return s.change(rt, c, err)
}

func (s store[K, V]) change(rt *rapid.T, c state.Change[V], err error) *state.Change[string] {
	must(rt, err)
	return &state.Change[string]{
		Old: s.take(c.Old), New: s.take(c.New), Had: c.Had, Has: c.Has,
		OldTimestamp: c.OldTimestamp, Timestamp: c.Timestamp,
	}
}

func (s store[K, V]) all() rows { return s.rows(s.reads.All()) }

func (s store[K, V]) rows(loop iter.Seq2[state.Row[K, V], error]) rows {
	return func(yield func(shown, error) bool) {
		for r, err := range loop {
			if !yield(shown{s.keys.read(r.Key), row{s.take(r.Value), r.Timestamp}}, err) {
				return
			}
		}
	}
}

func (s store[K, V]) span(from, to key) rows {
	if s.keys.windows {
		return s.rows(s.reads.FetchAll(time.UnixMilli(from.start), time.UnixMilli(to.start)))
	}
	return s.rows(s.reads.(ranger[K, V]).Range(s.keys.make(from), s.keys.make(to)))
}

func (s store[K, V]) inside(k, from, to key) bool {
	if s.keys.windows {
		return from.start <= k.start && k.start <= to.start
	}
	return from.name <= k.name && k.name <= to.name
}

func (s store[K, V]) fetch(name string, from, to int64) rows {
	w, ok := s.reads.(interface {
		Fetch(key string, from, to time.Time) iter.Seq2[state.Row[K, V], error]
	})
	if !ok {
		return nil
	}
	return s.rows(w.Fetch(name, time.UnixMilli(from), time.UnixMilli(to)))
}

// sorted sorts keys in the order of their rows.
func (s store[K, V]) sorted(keys []key) []key {
	slices.SortFunc(keys, func(a, b key) int {
		if s.keys.windows {
			if c := cmp.Compare(s.leadOf(a), s.leadOf(b)); c != 0 {
				return c
			}
		}
		return strings.Compare(s.tail(a), s.tail(b))
	})
	return keys
}

// leadOf returns the time segment in which a window starts.
func (s store[K, V]) leadOf(k key) int64 {
	n := k.start / s.keys.lead
	if k.start%s.keys.lead < 0 {
		n--
	}
	return n
}

// tail returns the part of a key that orders rows within a time segment.
func (s store[K, V]) tail(k key) string {
	if !s.keys.windows || s.keys.lead == 1 {
		return k.name
	}
	return string(binary.BigEndian.AppendUint64([]byte(k.name), uint64(k.start)))
}

func (s store[K, V]) changelogKey(k key) []byte {
	if !s.keys.windows {
		return []byte(k.name)
	}
	dst := binary.BigEndian.AppendUint64([]byte(k.name), uint64(k.start))
	if s.keys.session {
		return binary.BigEndian.AppendUint64(dst, uint64(k.start-sessionLength))
	}
	return append(dst, 0, 0, 0, 0)
}

func (s store[K, V]) encode(value string) string {
	if !s.values.json {
		return value
	}
	text, _ := json.Marshal(strings.Split(value, ""))
	return string(text)
}
