package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rio-streams/rio/codec"
)

// Set is all stores of one task, opened on its database. One goroutine owns it.
//
// Each store has a prefix of two bytes, which is assigned to its name and never reused, so that stores can be added and
// removed without moving the data of others. Prefix 0 is the set's own:
//
//	| 0 0 | 'f' |                              →  format version, 1 byte
//	| 0 0 | 's' | name … |                     →  prefix, 2 bytes BE | definition …
//	| 0 0 | 'p' | topic … | partition, 4 B BE | →  position: the next offset to read, 8 bytes BE
//	| 0 0 | 'i' | topic … |                    →  id of the topic that its positions refer to, text
//	| 0 0 | 't' | name of a clock … |          →  its time, ms since 1970, 8 bytes BE
type Set struct {
	db     DB
	stores []Store
	byName map[string]Store
	clocks []*Clock // clocks of stores first
	times  Times    // of the last commit, from Options
	key    []byte
	marks  []int64 // of savepoints: the times of the clocks and the marks of the stores
}

// Format version 1 is version 2 without clocks: the times were those of the task, which passed them to its stores at
// every start.
const (
	formatVersion = 2
	oldestVersion = 1
)

var (
	formatKey   = []byte{0, 0, 'f'}
	storeKey    = []byte{0, 0, 's'}
	positionKey = []byte{0, 0, 'p'}
	topicIDKey  = []byte{0, 0, 'i'}
	clockKey    = []byte{0, 0, 't'}
)

// OpenSet opens the stores of a task. It rejects a store whose format differs from that of its definition.
func OpenSet(db DB, defs []Definition, opts Options) (*Set, error) {
	s := &Set{db: db, byName: make(map[string]Store), times: opts.Times}
	if err := checkFormat(db); err != nil {
		return nil, err
	}
	known, err := s.readStores()
	if err != nil {
		return nil, err
	}
	b := db.NewBatch()
	defer b.Close()
	b.Set(formatKey, []byte{formatVersion})
	var errs []error
	for _, d := range defs {
		if err := s.open(d, known, b, opts); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		s.Close()
		return nil, err
	}
	s.flushTimes(b)
	if err := b.Commit(); err != nil {
		s.Close()
		return nil, fmt.Errorf("state: write the list of stores: %w", err)
	}
	for _, c := range s.clocks {
		c.committed = c.flushed
	}
	return s, nil
}

var errDamagedList = fmt.Errorf("state: the list of stores: %w", ErrDamaged)

// known is the database's entry of a store.
type known struct {
	id         uint16
	definition string
}

func checkFormat(r Reader) error {
	v, found, err := r.Get(nil, formatKey)
	if err != nil {
		return fmt.Errorf("state: read the format version: %w", err)
	}
	if found && (len(v) != 1 || v[0] < oldestVersion || v[0] > formatVersion) {
		return fmt.Errorf("state: the database has format %v, this program reads %d to %d: delete it, and it is restored from the changelog",
			v, oldestVersion, formatVersion)
	}
	return nil
}

func (s *Set) readStores() (map[string]known, error) {
	rows, err := s.db.Iter(storeKey, after(storeKey))
	if err != nil {
		return nil, fmt.Errorf("state: read the list of stores: %w", err)
	}
	defer rows.Close()
	stores := make(map[string]known)
	for more := rows.First(); more; more = rows.Next() {
		v := rows.Value()
		if len(v) < 2 {
			return nil, errDamagedList
		}
		stores[string(rows.Key()[len(storeKey):])] = known{binary.BigEndian.Uint16(v), string(v[2:])}
	}
	return stores, rows.Error()
}

func (s *Set) open(d Definition, stores map[string]known, b Batch, opts Options) error {
	name := d.Name()
	if s.byName[name] != nil {
		return fmt.Errorf("state: two stores are named %q", name)
	}
	k, found := stores[name]
	if found {
		if err := CheckFormat(d, k.definition); err != nil {
			return err
		}
	}
	if !found {
		for other := range maps.Values(stores) {
			k.id = max(k.id, other.id)
		}
		k.id++
	}
	if k.definition != d.Format() {
		k.definition = d.Format()
		stores[name] = k
		b.Set(append(slices.Clone(storeKey), name...), append(binary.BigEndian.AppendUint16(nil, k.id), k.definition...))
	}
	store, err := d.Open(s.db, binary.BigEndian.AppendUint16(nil, k.id), opts)
	if err != nil {
		return err
	}
	s.byName[name] = store
	s.stores = append(s.stores, store)
	if c := store.Clock(); c != nil {
		return s.initClock(c)
	}
	return nil
}

// ErrFormat: the stored bytes have another format than the store's definition.
var ErrFormat = errors.New("the format of a store has changed")

// CheckFormat returns an error that wraps ErrFormat, and says what can be done, if the stored bytes have another format
// than the definition.
func CheckFormat(d Definition, format string) error {
	if d.Format() == format || d.Format() == codec.FormatOfName(format) {
		return nil
	}
	return fmt.Errorf("state: %w: store %q holds %s, and this program reads %s. "+
		"Go back to the old format; or rename the store, so that it starts empty while the old one stays; "+
		"or run the program under another Config.Application until it has caught up with the inputs, and then switch; "+
		"or reset the application, which then reprocesses its inputs", ErrFormat, d.Name(), format, d.Format())
}

// Store returns the store of a name.
func (s *Set) Store(name string) (Store, error) {
	if store := s.byName[name]; store != nil {
		return store, nil
	}
	names := slices.Sorted(maps.Keys(s.byName))
	if len(names) == 0 {
		return nil, fmt.Errorf("state: no store %q; the task has none", name)
	}
	return nil, fmt.Errorf("state: no store %q; there are: %s", name, strings.Join(names, ", "))
}

// All returns the stores in the order of their definitions.
func (s *Set) All() []Store { return s.stores }

// DB returns the database of the task.
func (s *Set) DB() DB { return s.db }

// Begin calls Begin on all stores. From then on they see the time that the previous record has set.
func (s *Set) Begin() {
	s.marks = s.marks[:0]
	for _, c := range s.clocks {
		c.begun = c.now
	}
	for _, store := range s.stores {
		store.Begin()
	}
}

// Undo calls Undo on all stores, and rolls back the clocks.
func (s *Set) Undo() {
	s.marks = s.marks[:0]
	for _, c := range s.clocks {
		c.now = c.begun
	}
	for _, store := range s.stores {
		store.Undo()
	}
}

// Flush calls Flush on all stores, in the order of their definitions, and writes the clocks that have advanced into the
// batch.
func (s *Set) Flush(b Batch, log func(store Store, key, value []byte, timestamp int64) error) error {
	s.flushTimes(b)
	for _, store := range s.stores {
		err := store.Flush(b, func(key, value []byte, timestamp int64) error { return log(store, key, value, timestamp) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Committed calls Committed on all stores.
func (s *Set) Committed() {
	for _, c := range s.clocks {
		c.committed = c.flushed
	}
	for _, store := range s.stores {
		store.Committed()
	}
}

// Expire calls Expire on all stores.
func (s *Set) Expire(b Batch) {
	for _, store := range s.stores {
		store.Expire(b)
	}
}

// Dirty returns the number of entries that the next Flush will write.
func (s *Set) Dirty() int { return s.sum(Store.Dirty) }

// DirtyBytes returns their approximate size in bytes.
func (s *Set) DirtyBytes() int { return s.sum(Store.DirtyBytes) }

// CachedBytes returns the approximate size of all entries in memory.
func (s *Set) CachedBytes() int { return s.sum(Store.CachedBytes) }

func (s *Set) sum(f func(Store) int) int {
	n := 0
	for _, store := range s.stores {
		n += f(store)
	}
	return n
}

// SetPosition writes the position of a partition into a batch: the next offset to read. The batch must reflect the
// partition up to there.
func (s *Set) SetPosition(b Batch, topic string, partition int32, offset int64) {
	b.Set(s.position(topic, partition), binary.BigEndian.AppendUint64(nil, uint64(offset)))
}

// Position returns the committed position of a partition, and whether there is one.
func (s *Set) Position(topic string, partition int32) (int64, bool, error) {
	v, found, err := s.db.Get(nil, s.position(topic, partition))
	if err != nil || !found {
		return 0, false, err
	}
	if len(v) != 8 {
		return 0, false, fmt.Errorf("state: the position of %s/%d has %d bytes instead of 8: %w", topic, partition, len(v), ErrDamaged)
	}
	return int64(binary.BigEndian.Uint64(v)), true, nil
}

func (s *Set) position(topic string, partition int32) []byte {
	s.key = append(append(s.key[:0], positionKey...), topic...)
	s.key = binary.BigEndian.AppendUint32(s.key, uint32(partition))
	return s.key
}

// SetTopicID writes into a batch the id of the topic that the positions of a name refer to: a topic that is deleted and
// recreated has the same name, but another id and other records.
func (s *Set) SetTopicID(b Batch, topic, id string) {
	b.Set(append(slices.Clone(topicIDKey), topic...), []byte(id))
}

// TopicID returns the id written by SetTopicID, "" if there is none.
func (s *Set) TopicID(topic string) (string, error) {
	id, _, err := s.db.Get(nil, append(slices.Clone(topicIDKey), topic...))
	return string(id), err
}

// Close releases the memory of the stores. It does not close the database.
func (s *Set) Close() {
	for _, store := range s.stores {
		store.Close()
	}
	s.stores, s.byName, s.clocks = nil, nil, nil
}
