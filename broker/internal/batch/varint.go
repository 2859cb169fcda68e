package batch

import (
	"encoding/binary"
	"math"
)

// The numbers of a record are zigzag varints: of 32 bits, at most 5 bytes, and of 64 bits, at most 10.
//
// varint and varlong read the one at b[at] and say where the next byte lies. What they cannot read ends at -1, and whatever is read at
// -1 ends there too, so that who reads several in a row looks once.

func varint(b []byte, at int) (v int32, next int) {
	var u uint64
	for shift := 0; shift < 35; shift += 7 {
		if uint(at) >= uint(len(b)) {
			return 0, -1
		}
		digit := b[at]
		at++
		u |= uint64(digit&0x7f) << shift
		if digit < 0x80 {
			if u > math.MaxUint32 {
				return 0, -1
			}
			return int32(u>>1) ^ -int32(u&1), at
		}
	}
	return 0, -1
}

func varlong(b []byte, at int) (v int64, next int) {
	if at < 0 {
		return 0, -1
	}
	v, n := binary.Varint(b[at:])
	if n <= 0 {
		return 0, -1
	}
	return v, at + n
}

// varintSize returns how many bytes v takes.
func varintSize(v int64) int {
	n := 1
	for u := uint64(v)<<1 ^ uint64(v>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}
