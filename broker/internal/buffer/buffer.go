// Package buffer reuses large byte slices. Produce requests and fetch responses take a megabyte and more each; as
// garbage they would multiply the size of the heap, and zeroing new memory costs time.
package buffer

import (
	"slices"
	"sync"
)

const (
	smallest = 64 << 10 // smaller slices are left to the garbage collector
	largest  = 8 << 20  // larger slices are rare
)

// sizes are the possible capacities in ascending order, four for each doubling.
var sizes = func() (list []int) {
	for size := smallest; size < largest; size *= 2 {
		list = append(list, size, size/4*5, size/4*6, size/4*7)
	}
	return append(list, largest)
}()

// free holds the unused buffers, one pool for each of sizes. The garbage collector frees those that stay unused.
var free = make([]sync.Pool, len(sizes))

// Get returns a slice of n bytes with arbitrary content. The caller may return it with Put.
func Get(n int) []byte {
	if n < smallest || n > largest {
		return make([]byte, n)
	}
	i, _ := slices.BinarySearch(sizes, n)
	if b, ok := free[i].Get().(*[]byte); ok {
		return (*b)[:n]
	}
	return make([]byte, n, sizes[i])
}

// Put returns a slice of Get's, or a prefix of one, for reuse. The caller must not use it afterwards.
func Put(b []byte) {
	if i, ok := slices.BinarySearch(sizes, cap(b)); ok {
		b = b[:0]
		free[i].Put(&b)
	}
}

// Append is like the built-in append, for a slice returned by Get. It replaces a full slice by one with twice the
// capacity, or with capacity expected if that is more.
func Append(to, b []byte, expected int) []byte {
	need := len(to) + len(b)
	if need <= cap(to) {
		return append(to, b...)
	}
	grown := Get(max(need, expected, 2*len(to)))
	n := copy(grown, to)
	n += copy(grown[n:], b)
	Put(to)
	return grown[:n]
}
