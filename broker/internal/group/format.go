package group

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// The binary form of a snapshot. Numbers are uvarints, and strings and byte slices are prefixed with their length.
//
//	1 │ generation │ empty since │ protocol type │ protocol │ leader │ count │ member*
//
//	member:   id │ instance id │ client id │ client host │ session │ rebalance │ assignment │ count │ protocol*
//	protocol: name │ metadata
//
// The first byte is the version. "Empty since" is in Unix milliseconds, 0 for none; the timeouts are in milliseconds.
const formatVersion = 1

// Append appends the snapshot's binary form to b.
func (s Snapshot) Append(b []byte) []byte {
	b = append(b, formatVersion)
	b = binary.AppendUvarint(b, uint64(s.generation))
	b = binary.AppendUvarint(b, unixMilli(s.emptySince))
	b = appendText(b, s.protocolType, s.protocol, s.leader)
	b = binary.AppendUvarint(b, uint64(len(s.members)))
	for _, m := range s.members {
		b = m.append(b)
	}
	return b
}

func (m memberSnapshot) append(b []byte) []byte {
	b = appendText(b, m.id, m.instanceID, m.clientID, m.clientHost)
	b = binary.AppendUvarint(b, uint64(m.session.Milliseconds()))
	b = binary.AppendUvarint(b, uint64(m.rebalance.Milliseconds()))
	b = appendText(b, m.assignment)
	b = binary.AppendUvarint(b, uint64(len(m.protocols)))
	for _, p := range m.protocols {
		b = appendText(b, p.Name)
		b = appendText(b, p.Metadata)
	}
	return b
}

func appendText[T string | []byte](b []byte, texts ...T) []byte {
	for _, text := range texts {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

func unixMilli(at time.Time) uint64 {
	if at.IsZero() {
		return 0
	}
	return uint64(at.UnixMilli())
}

// ParseSnapshot decodes what Append wrote. The snapshot does not alias b.
func ParseSnapshot(b []byte) (Snapshot, error) {
	if len(b) == 0 || b[0] != formatVersion {
		return Snapshot{}, fmt.Errorf("group: a snapshot of %d bytes does not have version %d", len(b), formatVersion)
	}
	p := parser{rest: b[1:]}
	s := Snapshot{generation: int32(p.number(math.MaxInt32))}
	if ms := p.number(math.MaxInt64); ms != 0 {
		s.emptySince = time.UnixMilli(int64(ms))
	}
	s.protocolType, s.protocol, s.leader = p.text(), p.text(), p.text()
	for n := p.count(); n > 0 && !p.broken; n-- {
		s.members = append(s.members, p.member())
	}
	switch {
	case p.broken, len(p.rest) > 0:
		return Snapshot{}, fmt.Errorf("group: a snapshot is damaged near byte %d of %d", len(b)-len(p.rest), len(b))
	case !s.isValid():
		return Snapshot{}, errors.New("group: a snapshot describes an impossible state")
	}
	return s, nil
}

// parser decodes the parts of a snapshot. After the first error it is broken and returns zeros.
type parser struct {
	rest   []byte
	broken bool
}

func (p *parser) member() memberSnapshot {
	m := memberSnapshot{
		id: p.text(), instanceID: p.text(), clientID: p.text(), clientHost: p.text(),
		session: p.duration(), rebalance: p.duration(), assignment: p.blob(),
	}
	for n := p.count(); n > 0 && !p.broken; n-- {
		m.protocols = append(m.protocols, Protocol{p.text(), p.blob()})
	}
	return m
}

func (p *parser) duration() time.Duration {
	return time.Duration(p.number(math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond
}

// count reads the number of parts that follow, each of which takes at least a byte.
func (p *parser) count() uint64 { return p.number(uint64(len(p.rest))) }

func (p *parser) number(most uint64) uint64 {
	n, size := binary.Uvarint(p.rest)
	if p.broken || size <= 0 || n > most {
		p.broken = true
		return 0
	}
	p.rest = p.rest[size:]
	return n
}

func (p *parser) blob() []byte {
	length := p.number(uint64(len(p.rest)))
	if p.broken || length > uint64(len(p.rest)) {
		p.broken = true
		return nil
	}
	blob := append([]byte(nil), p.rest[:length]...)
	p.rest = p.rest[length:]
	return blob
}

func (p *parser) text() string { return string(p.blob()) }
