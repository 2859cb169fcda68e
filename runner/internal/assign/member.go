package assign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Member is what a member tells the leader of its group, as the user data of its subscription.
type Member struct {
	Plan   uint64 // hash of the plan that it runs; 0 is unknown
	Stores []Store
}

// A Store says that a member has a partition of a store on its disk, and up to which offset of the changelog.
type Store struct {
	Name      string
	Partition int32
	Position  int64 // the next offset to restore; Unknown if only the directory is known
}

// Unknown is the position of a store of which a member knows only that it is there. Any other member that has it is
// preferred.
const Unknown int64 = -1

// states returns the position of each task of which m has any store: the sum of the positions of its stores.
func (m Member) states(groups []Group) map[task]int64 {
	group := make(map[string]int)
	for i, g := range groups {
		for _, store := range g.Stores {
			group[store] = i
		}
	}
	states := make(map[task]int64)
	for _, s := range m.Stores {
		g, ok := group[s.Name]
		if !ok {
			continue // of a topology that has it no more
		}
		states[task{g, s.Partition}] += s.Position
	}
	return states
}

// The user data of a subscription:
//
//	version     1 byte: 2
//	fields, each
//	  tag       uvarint; readers pass over those they do not know
//	  length    uvarint, of the bytes that follow
//	  1 plan:   8 bytes BE
//	  2 stores: for each name
//	              length uvarint, name
//	              count uvarint
//	              count times: partition uvarint, position varint
//
// Version 1, of earlier releases, is read: after the version
//
//	count       uvarint
//	count times: sub-topology uvarint, partition uvarint, time of the last change varint, in ms since 1970
const (
	version    = 2
	oldVersion = 1

	fieldPlan   = 1
	fieldStores = 2
)

// Encode writes m.
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

// encodeStores writes runs of one name; stores are in any order.
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

// ErrUserData says that user data were not written by Encode, of this release or an earlier one.
var ErrUserData = errors.New("assign: user data make no sense")

// Decode reads what Encode of this release, or of an earlier one, wrote. groups are those of this member: the earlier
// one numbered tasks by them. No bytes are a member without state.
func Decode(b []byte, groups []Group) (Member, error) {
	switch {
	case len(b) == 0:
		return Member{}, nil
	case b[0] == oldVersion:
		return decodeOld(b[1:], groups)
	case b[0] != version:
		return Member{}, fmt.Errorf("%w: they are of version %d", ErrUserData, b[0])
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

// decodeOld reads version 1. Its times say nothing about offsets, so the stores are there and that is all.
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

// reader reads until something is bad; from then on it reads zeroes.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) upTo(limit uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	r.took(n, v <= limit)
	if r.bad {
		return 0
	}
	return v
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.rest)
	r.took(n, true)
	if r.bad {
		return 0
	}
	return v
}

func (r *reader) took(n int, ok bool) {
	if n <= 0 || !ok || r.bad {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

// bytes reads a length and as many bytes.
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
