package state

import (
	"encoding/binary"
	"fmt"
)

// layout arranges the bytes of a key. A key has three forms:
//
//	encoded    what the key codec writes
//	physical   where the row is in the database, behind the prefix of the store
//	changelog  the key of the changelog record, as Kafka Streams writes it
//
// In a key-value store all three are the same. In a store of windows they are
//
//	encoded    | key …        | start |          start: ms since 1970, 8 bytes BE
//	physical   | start ^ sign | key …  |         in the order of time, so that one range holds all expired windows
//	changelog  | key …        | start | 0 0 0 0 |  a sequence number, always 0
//
// The sign bit of the start is flipped so that times before 1970 sort before later ones.
type layout bool

const (
	plain    layout = false
	windowed layout = true
)

const (
	startSize    = 8
	sequenceSize = 4
	signBit      = 1 << 63
)

// appendStart appends the physical form of a window start.
func appendStart(dst []byte, start int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(start)^signBit)
}

// startOf reads the window start at the head of a physical key without its prefix.
func startOf(physical []byte) int64 { return int64(binary.BigEndian.Uint64(physical) ^ signBit) }

// appendChangelog turns a physical key into its changelog form.
func (l layout) appendChangelog(dst, physical []byte) []byte {
	if l == plain {
		return append(dst, physical...)
	}
	dst = l.appendEncoded(dst, physical)
	return append(dst, 0, 0, 0, 0)
}

// appendEncoded turns a physical key into its encoded form.
func (l layout) appendEncoded(dst, physical []byte) []byte {
	if l == plain {
		return append(dst, physical...)
	}
	dst = append(dst, physical[startSize:]...)
	return binary.BigEndian.AppendUint64(dst, uint64(startOf(physical)))
}

// appendRestored turns a changelog key into its physical form.
func (l layout) appendRestored(dst, changelog []byte) ([]byte, error) {
	if l == plain {
		return append(dst, changelog...), nil
	}
	n := len(changelog) - startSize - sequenceSize
	if n < 0 {
		return dst, fmt.Errorf("a changelog key of a window store has at least 12 bytes, got %d", len(changelog))
	}
	dst = appendStart(dst, int64(binary.BigEndian.Uint64(changelog[n:])))
	return append(dst, changelog[:n]...), nil
}
