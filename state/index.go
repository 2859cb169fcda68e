package state

import "github.com/tidwall/btree"

// index holds keys in order. It has no type parameters, so that the tree is compiled once and not for each type of
// value.
type index struct{ tree *btree.BTreeG[string] }

func newIndex() *index {
	less := func(a, b string) bool { return a < b }
	return &index{btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})}
}

// add adds a key, unless it is there.
func (i *index) add(key string) { i.tree.Set(key) }

// ascend calls visit for the keys at or after from, in order, until it returns false.
func (i *index) ascend(from string, visit func(key string) bool) { i.tree.Ascend(from, visit) }

// first returns the first key.
func (i *index) first() (key string, found bool) { return i.tree.Min() }

// remove removes a key.
func (i *index) remove(key string) { i.tree.Delete(key) }
