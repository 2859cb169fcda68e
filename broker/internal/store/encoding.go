package store

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// Numbers are big-endian; a string is its length in bytes (4) followed by the bytes.

func appendInt16(b []byte, n int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(n)) }
func appendInt32(b []byte, n int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }
func appendInt64(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) }

func appendString(b []byte, s string) []byte { return append(appendInt32(b, int32(len(s))), s...) }

func appendMap(b []byte, m map[string]string) []byte {
	b = appendInt32(b, int32(len(m)))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b = appendString(appendString(b, name), m[name])
	}
	return b
}

// errShort: an entry is shorter or longer than its contents.
var errShort = errors.New("the length of the entry does not match its contents")

// decoder reads what the functions above wrote. After an error it returns zeros, and end returns the error.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.rest) {
		d.bad, d.rest = true, nil
		return make([]byte, min(max(n, 0), 8))
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) byte() byte   { return d.take(1)[0] }
func (d *decoder) int16() int16 { return int16(binary.BigEndian.Uint16(d.take(2))) }
func (d *decoder) int32() int32 { return int32(binary.BigEndian.Uint32(d.take(4))) }
func (d *decoder) int64() int64 { return int64(binary.BigEndian.Uint64(d.take(8))) }

func (d *decoder) string() string {
	n := int(d.int32())
	if n < 0 || n > len(d.rest) {
		d.bad, d.rest = true, nil
		return ""
	}
	return string(d.take(n))
}

// count reads how many parts of at least size bytes follow.
func (d *decoder) count(size int) int {
	n := int(d.int32())
	if n < 0 || n > len(d.rest)/size {
		d.bad, d.rest = true, nil
		return 0
	}
	return n
}

func (d *decoder) stringMap() map[string]string {
	n := d.count(8)
	m := make(map[string]string, n)
	for range n {
		name := d.string()
		m[name] = d.string()
	}
	return m
}

func (d *decoder) end() error {
	if d.bad || len(d.rest) > 0 {
		return errShort
	}
	return nil
}
