package batch

import (
	"encoding/binary"
	"math"
)

// The numbers of a record are zigzag varints: of 32 bits, at most 5 bytes, and of 64 bits, at most 10.
//
// varint and varlong decode the number at b[at] and return the position after it, or -1 if it is invalid. Decoding at
// -1 returns -1 again, so callers that decode several numbers in a row check once.

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

// varintSize returns the encoded size of v in bytes.
func varintSize(v int64) int {
	n := 1
	for u := uint64(v)<<1 ^ uint64(v>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}
