package assign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Member is the user data that a member of the group sends to the leader with its subscription.
type Member struct {
	Plan   uint64 // hash of the plan that it runs; 0 if unknown
	Stores []Store
}

// A Store is a partition of a store on a member's disk.
type Store struct {
	Name      string
	Partition int32
	Position  int64 // next offset of the changelog to restore; Unknown if only the directory is known
}

// Unknown is the position of a store that exists, but whose position is not known. Members that know their position are
// preferred.
const Unknown int64 = -1

// positions returns, for each task of which m has a store, the sum of the positions of its stores.
func (m Member) positions(groups []Group) map[task]int64 {
	group := make(map[string]int)
	for i, g := range groups {
		for _, store := range g.Stores {
			group[store] = i
		}
	}
	positions := make(map[task]int64)
	for _, s := range m.Stores {
		g, ok := group[s.Name]
		if !ok {
			continue // from an earlier topology
		}
		positions[task{g, s.Partition}] += s.Position
	}
	return positions
}

// The user data of a subscription:
//
//	version     1 byte: 2
//	fields, each
//	  tag       uvarint; readers skip unknown tags
//	  length    uvarint, of the bytes that follow
//	  1 plan:   8 bytes BE
//	  2 stores: for each name
//	              length uvarint, name
//	              count uvarint
//	              count times: partition uvarint, position varint
//
// Decode also reads version 1, from earlier releases. After the version:
//
//	count       uvarint
//	count times: sub-topology uvarint, partition uvarint, time of the last change varint, in ms since 1970
const (
	version    = 2
	oldVersion = 1

	fieldPlan   = 1
	fieldStores = 2
)

// Encode returns the encoding of m.
func Encode(m Member) []byte {
	b := []byte{version}
	if m.Plan != 0 {
		b = appendField(b, fieldPlan, binary.BigEndian.AppendUint64(nil, m.Plan))
	}
	if len(m.Stores) > 0 {
		b = appendField(b, fieldStores, encodeStores(m.Stores))
	}
	return b
}

func appendField(b []byte, tag uint64, content []byte) []byte {
	b = binary.AppendUvarint(b, tag)
	b = binary.AppendUvarint(b, uint64(len(content)))
	return append(b, content...)
}

// encodeStores encodes consecutive stores of the same name together. Any order is valid.
func encodeStores(stores []Store) []byte {
	var b []byte
	for len(stores) > 0 {
		name := stores[0].Name
		n := slices.IndexFunc(stores, func(s Store) bool { return s.Name != name })
		if n < 0 {
			n = len(stores)
		}
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
		b = binary.AppendUvarint(b, uint64(n))
		for _, s := range stores[:n] {
			b = binary.AppendUvarint(b, uint64(s.Partition))
			b = binary.AppendVarint(b, s.Position)
		}
		stores = stores[n:]
	}
	return b
}

// ErrUserData: user data was not written by Encode of this release or an earlier one.
var ErrUserData = errors.New("assign: invalid user data")

// Decode decodes the output of Encode of this release or an earlier one. groups are the groups of this member, because
// version 1 refers to them by number. Empty data is decoded as a member without state.
func Decode(b []byte, groups []Group) (Member, error) {
	switch {
	case len(b) == 0:
		return Member{}, nil
	case b[0] == oldVersion:
		return decodeOld(b[1:], groups)
	case b[0] != version:
		return Member{}, fmt.Errorf("%w: unknown version %d", ErrUserData, b[0])
	}
	var m Member
	r := reader{rest: b[1:]}
	for len(r.rest) > 0 && !r.bad {
		tag := r.upTo(math.MaxInt32)
		content := reader{rest: r.bytes()}
		switch tag {
		case fieldPlan:
			m.Plan = content.uint64()
		case fieldStores:
			m.Stores = content.stores()
		}
		r.bad = r.bad || content.bad
	}
	if r.bad {
		return Member{}, ErrUserData
	}
	return m, nil
}

// decodeOld decodes version 1. It contains no offsets, so all positions are Unknown.
func decodeOld(b []byte, groups []Group) (Member, error) {
	var m Member
	r := reader{rest: b}
	for range r.upTo(uint64(len(b))) {
		group, partition := r.upTo(math.MaxInt32), int32(r.upTo(math.MaxInt32))
		r.signed()
		if r.bad {
			break
		}
		if group < uint64(len(groups)) && len(groups[group].Stores) > 0 {
			m.Stores = append(m.Stores, Store{groups[group].Stores[0], partition, Unknown})
		}
	}
	if r.bad || len(r.rest) > 0 {
		return Member{}, ErrUserData
	}
	return m, nil
}

// reader decodes data until it is invalid. Then it sets bad and returns zero values.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) upTo(limit uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	r.advance(n, v <= limit)
	if r.bad {
		return 0
	}
	return v
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.rest)
	r.advance(n, true)
	if r.bad {
		return 0
	}
	return v
}

func (r *reader) advance(n int, ok bool) {
	if n <= 0 || !ok || r.bad {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

// bytes reads a length and that many bytes.
func (r *reader) bytes() []byte {
	n := r.upTo(uint64(len(r.rest)))
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
	}
	if r.bad {
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint64() uint64 {
	if len(r.rest) != 8 {
		r.bad = true
		return 0
	}
	return binary.BigEndian.Uint64(r.rest)
}

func (r *reader) stores() []Store {
	var stores []Store
	for len(r.rest) > 0 && !r.bad {
		name := string(r.bytes())
		for range r.upTo(uint64(len(r.rest))) {
			s := Store{name, int32(r.upTo(math.MaxInt32)), r.signed()}
			if r.bad {
				return nil
			}
			stores = append(stores, s)
		}
	}
	return stores
}
