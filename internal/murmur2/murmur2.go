// Package murmur2 computes the partition of a key as the Java clients do.
//
// Java producers and Rio must agree on the partition of a key, or else joins would look for it in the wrong one. The
// hash is Austin Appleby's MurmurHash2 with the seed of org.apache.kafka.common.utils.Utils.murmur2.
package murmur2

import "encoding/binary"

// Partition returns the partition of key among n partitions: murmur2(key), made non-negative by clearing the sign bit,
// modulo n. n must be positive.
func Partition(key []byte, n int32) int32 {
	return int32(Sum(key)&0x7fffffff) % n
}

// Sum returns the 32-bit MurmurHash2 of key.
func Sum(key []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := seed ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		k ^= k >> r
		h = h*m ^ k*m
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
