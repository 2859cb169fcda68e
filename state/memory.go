package state

import (
	"bytes"
	"errors"
	"sync"

	"github.com/tidwall/btree"
)

// NewMemory returns an empty DB in memory: for tests, and for state that only the changelog keeps.
func NewMemory() DB { return &memory{view: newTree()} }

// errClosed: a closed DB was used.
var errClosed = errors.New("state: the database is closed")

// row is one row of a memory DB. Its slices are not modified once the row is in the tree.
type row struct{ key, value []byte }

func newTree() memoryView {
	less := func(a, b row) bool { return bytes.Compare(a.key, b.key) < 0 }
	return memoryView{btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})}
}

// memory is a copy-on-write tree: a snapshot or an iterator is a copy, which costs nothing until the next write.
type memory struct {
	mu   sync.Mutex // guards Snapshot, called by others, against Commit, called by the owner
	view memoryView
}

func (m *memory) Get(dst, key []byte) ([]byte, bool, error) { return m.view.Get(dst, key) }

func (m *memory) Iter(lower, upper []byte) (Iterator, error) {
	if m.view.tree == nil {
		return nil, errClosed
	}
	return m.copy().Iter(lower, upper)
}

func (m *memory) Snapshot() Snapshot { return &memorySnapshot{m.copy()} }

func (m *memory) NewBatch() Batch { return &memoryBatch{db: m} }

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.view = memoryView{}
	return nil
}

func (m *memory) copy() memoryView {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.view.tree == nil {
		return memoryView{}
	}
	return memoryView{m.view.tree.Copy()}
}

// memoryView reads one state of the tree.
type memoryView struct{ tree *btree.BTreeG[row] }

func (v memoryView) Get(dst, key []byte) ([]byte, bool, error) {
	if v.tree == nil {
		return dst, false, errClosed
	}
	r, found := v.tree.Get(row{key: key})
	return append(dst, r.value...), found, nil
}

func (v memoryView) Iter(lower, upper []byte) (Iterator, error) {
	if v.tree == nil {
		return nil, errClosed
	}
	return &memoryIterator{iter: v.tree.Iter(), lower: bytes.Clone(lower), upper: bytes.Clone(upper)}, nil
}

type memorySnapshot struct{ memoryView }

func (s *memorySnapshot) Close() error { return nil }

// memoryIterator iterates over one view between its bounds.
type memoryIterator struct {
	iter         btree.IterG[row]
	lower, upper []byte
	row          row
}

func (i *memoryIterator) First() bool {
	if i.lower == nil {
		return i.stop(i.iter.First())
	}
	return i.stop(i.iter.Seek(row{key: i.lower}))
}

func (i *memoryIterator) Last() bool {
	if i.upper == nil || !i.iter.Seek(row{key: i.upper}) {
		return i.stop(i.iter.Last())
	}
	return i.stop(i.iter.Prev())
}

func (i *memoryIterator) SeekGE(key []byte) bool {
	if bytes.Compare(key, i.lower) < 0 {
		return i.First()
	}
	return i.stop(i.iter.Seek(row{key: key}))
}

func (i *memoryIterator) Next() bool { return i.stop(i.iter.Next()) }
func (i *memoryIterator) Prev() bool { return i.stop(i.iter.Prev()) }

// stop sets the current row if a move found one within the bounds.
func (i *memoryIterator) stop(found bool) bool {
	if found {
		i.row = i.iter.Item()
		found = bytes.Compare(i.row.key, i.lower) >= 0 && (i.upper == nil || bytes.Compare(i.row.key, i.upper) < 0)
	}
	if !found {
		i.row = row{}
	}
	return found
}

func (i *memoryIterator) Key() []byte   { return i.row.key }
func (i *memoryIterator) Value() []byte { return i.row.value }
func (i *memoryIterator) Error() error  { return nil }

func (i *memoryIterator) Close() error {
	i.iter.Release()
	return nil
}

// memoryBatch stores its changes in one growing buffer.
type memoryBatch struct {
	db      *memory
	changes []edit
}

type edit struct {
	kind       editKind
	key, value []byte // of deleteRange: lower and upper
}

type editKind uint8

const (
	set editKind = iota
	deleteOne
	deleteRange
)

func (b *memoryBatch) Set(key, value []byte) { b.add(set, key, value) }
func (b *memoryBatch) Delete(key []byte)     { b.add(deleteOne, key, nil) }

func (b *memoryBatch) DeleteRange(lower, upper []byte) { b.add(deleteRange, lower, upper) }

// add copies key and value in one allocation.
func (b *memoryBatch) add(kind editKind, key, value []byte) {
	buf := make([]byte, 0, len(key)+len(value))
	buf = append(append(buf, key...), value...)
	n := len(key)
	b.changes = append(b.changes, edit{kind, buf[:n:n], buf[n:]})
}

func (b *memoryBatch) Commit() error {
	b.db.mu.Lock()
	defer b.db.mu.Unlock()
	tree := b.db.view.tree
	if tree == nil {
		return errClosed
	}
	for _, c := range b.changes {
		switch c.kind {
		case set:
			tree.Set(row{c.key, c.value})
		case deleteOne:
			tree.Delete(row{key: c.key})
		case deleteRange:
			removeRange(tree, c.key, c.value)
		}
	}
	clear(b.changes)
	b.changes = b.changes[:0]
	return nil
}

// removeRange deletes the keys from lower (inclusive) to upper (exclusive).
func removeRange(tree *btree.BTreeG[row], lower, upper []byte) {
	var doomed []row
	tree.Ascend(row{key: lower}, func(r row) bool {
		if bytes.Compare(r.key, upper) >= 0 {
			return false
		}
		doomed = append(doomed, r)
		return true
	})
	for _, r := range doomed {
		tree.Delete(r)
	}
}

func (b *memoryBatch) Close() error {
	b.changes = nil
	return nil
}
