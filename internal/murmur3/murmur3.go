// Package murmur3 computes the hash by which foreign-key joins recognize outdated responses.
//
// Kafka Streams writes the hash to the topics and the store of such a join, so Rio must compute the same one. It is
// Austin Appleby's MurmurHash3, the variant with 128 bits for 64-bit machines, with the seed that Kafka Streams uses.
package murmur3

import (
	"encoding/binary"
	"math/bits"
)

// Size is the number of bytes of a hash.
const Size = 16

// Sum128 returns the hash of data: two numbers of 64 bits, each with the most significant byte first.
func Sum128(data []byte) (sum [Size]byte) {
	const (
		seed = 104729
		c1   = 0x87c37b91114253d5
		c2   = 0x4cf5ad432745937f
	)
	mix1 := func(k uint64) uint64 { return bits.RotateLeft64(k*c1, 31) * c2 }
	mix2 := func(k uint64) uint64 { return bits.RotateLeft64(k*c2, 33) * c1 }
	h1, h2 := uint64(seed), uint64(seed)
	size := uint64(len(data))
	for ; len(data) >= 16; data = data[16:] {
		h1 ^= mix1(binary.LittleEndian.Uint64(data))
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= mix2(binary.LittleEndian.Uint64(data[8:]))
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte // zeros do not change the hash
	copy(tail[:], data)
	h1 ^= mix1(binary.LittleEndian.Uint64(tail[:]))
	h2 ^= mix2(binary.LittleEndian.Uint64(tail[8:]))

	h1 ^= size
	h2 ^= size
	h1 += h2
	h2 += h1
	h1, h2 = finish(h1), finish(h2)
	h1 += h2
	h2 += h1
	binary.BigEndian.PutUint64(sum[:], h1)
	binary.BigEndian.PutUint64(sum[8:], h2)
	return sum
}

// finish lets every bit change every other one.
func finish(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
