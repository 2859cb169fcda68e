package topology

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/internal/murmur3"
	"github.com/rio-streams/rio/internal/plan"
)

// This file has the records that the two sides of a foreign-key join exchange. Their bytes are those of Kafka Streams.

// subscription tells the side of the foreign keys that a row on the left refers to a key, or no longer does. In the
// topic and in the store it is
//
//	| version, 1 byte: 1, and bit 7 if there is no hash | instruction, 1 byte | hash, 16 bytes | primary key … | partition, 4 bytes BE |
//
// Version 0, which Kafka Streams wrote before 3.4, has no partition.
type subscription struct {
	instruction instruction
	hash        hash
	primary     []byte // the key on the left
	partition   int32  // of the row on the left; in version 0 plan.ByKey
}

// instruction says what to do with a subscription.
type instruction byte

// The names are those of Kafka Streams.
const (
	deleteKeyNoPropagate instruction = iota
	deleteKeyAndPropagate
	propagateNullIfNoRow
	propagateOnlyIfRow
)

var instructions = [...]string{
	"DELETE_KEY_NO_PROPAGATE", "DELETE_KEY_AND_PROPAGATE", "PROPAGATE_NULL_IF_NO_FK_VAL_AVAILABLE", "PROPAGATE_ONLY_IF_FK_VAL_AVAILABLE",
}

// hash is that of an encoded row on the left, by which a response to an older row is recognized.
type hash struct {
	exists bool // there is a row
	sum    [murmur3.Size]byte
}

// hashOf returns the hash of a row.
func hashOf(value []byte) hash { return hash{true, murmur3.Sum128(value)} }

const (
	noHash       = 0x80 // bit 7 of the version
	partitionLen = 4
)

var errSubscription = errors.New("its bytes are not those of a foreign-key join")

// appendHash appends the first byte of a record, and then the hash after the bytes between.
func (h hash) append(dst []byte, version byte, between ...byte) []byte {
	if !h.exists {
		return append(append(dst, version|noHash), between...)
	}
	return append(append(append(dst, version), between...), h.sum[:]...)
}

// cutHash removes the hash from the beginning of data.
func cutHash(version byte, data []byte) (h hash, rest []byte, ok bool) {
	if version&noHash != 0 {
		return hash{}, data, true
	}
	if len(data) < len(h.sum) {
		return hash{}, nil, false
	}
	h.exists = true
	n := copy(h.sum[:], data)
	return h, data[n:], true
}

func (s *subscription) append(dst []byte) []byte {
	dst = s.hash.append(dst, 1, byte(s.instruction))
	return binary.BigEndian.AppendUint32(append(dst, s.primary...), uint32(s.partition))
}

// parseSubscription decodes a subscription. The primary key is a part of data.
func parseSubscription(data []byte) (s subscription, err error) {
	if len(data) < 2 {
		return s, errSubscription
	}
	version := data[0] &^ noHash
	s.instruction = instruction(data[1])
	h, rest, ok := cutHash(data[0], data[2:])
	switch {
	case version > 1:
		return s, fmt.Errorf("a subscription of version %d: a newer program wrote it; this one reads versions 0 and 1", version)
	case !ok || int(s.instruction) >= len(instructions) || version == 1 && len(rest) < partitionLen:
		return s, errSubscription
	}
	s.hash, s.primary, s.partition = h, rest, plan.ByKey
	if version == 1 {
		end := len(rest) - partitionLen
		s.primary, s.partition = rest[:end:end], int32(binary.BigEndian.Uint32(rest[end:]))
		if s.partition < 0 {
			return s, errSubscription
		}
	}
	return s, nil
}

// response is the answer to a subscription: a row on the right, or that there is none.
//
//	| version, 1 byte: 0, and bit 7 if there is no hash | hash of the subscription, 16 bytes | row … |
//
// Without bytes after the hash there is no row.
type response struct {
	hash hash
	row  []byte
}

func (r *response) append(dst []byte) []byte { return append(r.hash.append(dst, 0), r.row...) }

// parseResponse decodes a response. The row is a part of data.
func parseResponse(data []byte) (r response, err error) {
	if len(data) == 0 {
		return r, errSubscription
	}
	if version := data[0] &^ noHash; version > 0 {
		return r, fmt.Errorf("a response of version %d: a newer program wrote it; this one reads version 0", version)
	}
	h, rest, ok := cutHash(data[0], data[1:])
	if !ok {
		return r, errSubscription
	}
	return response{h, rest}, nil
}

func (h hash) String() string {
	if !h.exists {
		return "no row"
	}
	return "row " + hex.EncodeToString(h.sum[:])
}

// formatSubscription formats a subscription for people, given the format of primary keys.
func formatSubscription(key func([]byte) string) func([]byte) string {
	return func(data []byte) string {
		s, err := parseSubscription(data)
		if err != nil {
			return fmt.Sprintf("(%v) %q", err, data)
		}
		return fmt.Sprintf("%s %s, %v of partition %d", instructions[s.instruction], key(s.primary), s.hash, s.partition)
	}
}

// formatResponse formats a response for people, given the format of rows.
func formatResponse(row func([]byte) string) func([]byte) string {
	return func(data []byte) string {
		r, err := parseResponse(data)
		if err != nil {
			return fmt.Sprintf("(%v) %q", err, data)
		}
		if len(r.row) == 0 {
			return fmt.Sprintf("null for %v", r.hash)
		}
		return fmt.Sprintf("%s for %v", row(r.row), r.hash)
	}
}
