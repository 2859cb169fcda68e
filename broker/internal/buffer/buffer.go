// Package buffer keeps large byte slices for use again. Requests with records and answers to fetches have a megabyte and more
// each; as garbage they would make the heap several times as large as what is in use, and cleared memory is not free.
package buffer

import (
	"slices"
	"sync"
)

const (
	smallest = 64 << 10 // what is smaller is left to the collector
	largest  = 8 << 20  // what is larger is rare
)

// sizes are the capacities that there are, the smallest first: four for each doubling.
var sizes = func() (list []int) {
	for size := smallest; size < largest; size *= 2 {
		list = append(list, size, size/4*5, size/4*6, size/4*7)
	}
	return append(list, largest)
}()

// free are the buffers that nobody uses, by the place of their capacity in sizes. The collector takes what lies there for long.
var free = make([]sync.Pool, len(sizes))

// Get returns a slice of n bytes, in which anything may be. It belongs to the caller, who may give it back with Put.
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

// Put gives back a slice that Get returned, or a part of it from its beginning. Nobody may use it any longer.
func Put(b []byte) {
	if i, ok := slices.BinarySearch(sizes, cap(b)); ok {
		b = b[:0]
		free[i].Put(&b)
	}
}

// Append is append for a slice of Get's: one that is full is exchanged for one that has twice the room, or expected bytes if
// that is more.
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
