package state

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
)

// NewSeen declares a store of the ids that the records of each key have had, by time. It is a JoinWindow whose keys hold
// the record's key and the id, and whose values are empty.
func NewSeen[K, I any](name string, key codec.Codec[K], id codec.Codec[I], size, retention time.Duration) *JoinWindowDefinition {
	d := NewJoinWindow(name, key, id, size, retention)
	if key != nil && id != nil {
		d.description = fmt.Sprintf("ids %s, %s + %s", size, key, id)
		d.written = fmt.Sprintf("ids %s, %s + %s", size, codec.Format(key), codec.Format(id))
	}
	return d
}
