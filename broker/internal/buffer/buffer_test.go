package buffer

import (
	"bytes"
	"testing"
)

func TestGetHasTheLength(t *testing.T) {
	for _, n := range []int{0, 1, 4096, 1 << 16, 1<<16 + 1, 1 << 23, 1<<23 + 1} {
		b := Get(n)
		if len(b) != n {
			t.Errorf("Get(%d) has %d bytes", n, len(b))
		}
		Put(b)
	}
}

// Whatever slice is put back (a part of a slice, or one that Get never returned), a later Get has the capacity of its
// class.
func TestPutTakesWhatGetCanReturn(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 10), make([]byte, 100_000), Get(100_000)[:3], Get(100_000)[70_000:]} {
		Put(b)
	}
	for range 10 {
		if b := Get(100_000); cap(b) != 112<<10 {
			t.Errorf("Get(100000) has a capacity of %d", cap(b))
		}
	}
}

func TestAppendGrows(t *testing.T) {
	var b, want []byte
	for i := range 300 {
		piece := bytes.Repeat([]byte{byte(i)}, 997)
		b, want = Append(b, piece, 0), append(want, piece...)
	}
	if !bytes.Equal(b, want) {
		t.Error("appended bytes are missing")
	}
	if b := Append(nil, []byte("first"), 1<<20); cap(b) < 1<<20 || string(b) != "first" {
		t.Errorf("%q with a capacity of %d, want 1 MiB", b, cap(b))
	}
}
