package kafka

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A TaskState says that a member has the state of a task on its disk, and how far it is.
type TaskState struct {
	Group     int   // index into the groups of NewTaskAssignor
	Partition int32 // of the task
	Position  int64 // larger is fresher, for the same task on any member; for example the sum of its changelog positions
}

// EncodeTaskStates writes what a member tells the assignor of tasks, for GroupConfig.UserData:
//
//	version    1 byte   1
//	count      uvarint
//	count times:
//	  group      uvarint
//	  partition  uvarint
//	  position   varint
func EncodeTaskStates(states []TaskState) []byte {
	b := []byte{taskStatesVersion}
	b = binary.AppendUvarint(b, uint64(len(states)))
	for _, s := range states {
		b = binary.AppendUvarint(b, uint64(s.Group))
		b = binary.AppendUvarint(b, uint64(s.Partition))
		b = binary.AppendVarint(b, s.Position)
	}
	return b
}

const taskStatesVersion = 1

// DecodeTaskStates reads what EncodeTaskStates wrote. No bytes are no states; anything else that it did not write is
// ErrCorrupt, or ErrUnsupported for a later version.
func DecodeTaskStates(b []byte) ([]TaskState, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if b[0] != taskStatesVersion {
		return nil, fmt.Errorf("kafka: task states of version %d: %w", b[0], ErrUnsupported)
	}
	r := varints{rest: b[1:]}
	count := r.upTo(uint64(len(b))) // each state takes three bytes at least
	states := make([]TaskState, 0, min(count, uint64(len(b)/3)))
	for range count {
		if r.bad {
			break
		}
		states = append(states, TaskState{int(r.upTo(math.MaxInt32)), int32(r.upTo(math.MaxInt32)), r.signed()})
	}
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("kafka: task states: %w", ErrCorrupt)
	}
	return states, nil
}

// varints reads numbers until one is bad; from then on it reads zeroes.
type varints struct {
	rest []byte
	bad  bool
}

func (r *varints) upTo(limit uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	return took(r, v, n, v <= limit)
}

func (r *varints) signed() int64 {
	v, n := binary.Varint(r.rest)
	return took(r, v, n, true)
}

func took[N int64 | uint64](r *varints, v N, n int, ok bool) N {
	if n <= 0 || !ok || r.bad {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
