package runner

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// note is what the runner commits with an offset, behind the times of the task (task.Offset.Metadata): what the offset is
// an offset of, and what the state was made from that goes with it. It is read at every start, on every machine.
//
//	( @topic=<id> | @first=<n> | @store=<name>:<id of its changelog>:<format, as in a URL> | @reset=1 )*, a blank before each
//
// Names of stores and of clocks have no '@', so readers of one do not see the other.
type note struct {
	topic  string               // id of the topic; "" if the cluster gives none
	first  int32                // partitions that the topic had when the application began to read it; 0 if that is not known
	stores map[string]storeNote // by name; only in the note of the first input of a task
	reset  bool                 // Reset has set the offset: all state that there was before is void
}

// storeNote is what a store was made from.
type storeNote struct {
	changelog string // id of the topic; "" for a source table
	format    string // see state.Definition
}

func (n note) String() string {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			b.WriteString(" @" + name + "=" + value)
		}
	}
	field("topic", n.topic)
	if n.first > 0 {
		field("first", strconv.Itoa(int(n.first)))
	}
	for _, name := range slices.Sorted(maps.Keys(n.stores)) {
		s := n.stores[name]
		field("store", name+":"+s.changelog+":"+url.QueryEscape(s.format))
	}
	if n.reset {
		field("reset", "1")
	}
	return b.String()
}

// parseNote reads what String wrote, anywhere in the metadata of an offset. What others wrote is not looked at.
func parseNote(metadata string) note {
	n := note{stores: map[string]storeNote{}}
	for field := range strings.FieldsSeq(metadata) {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "@topic":
			n.topic = value
		case "@first":
			first, _ := strconv.ParseInt(value, 10, 32)
			n.first = int32(first)
		case "@store":
			parts := strings.SplitN(value, ":", 3)
			if len(parts) == 3 {
				format, _ := url.QueryUnescape(parts[2])
				n.stores[parts[0]] = storeNote{parts[1], format}
			}
		case "@reset":
			n.reset = true
		}
	}
	return n
}

// withoutNote returns the metadata of an offset without what the runner has put there.
func withoutNote(metadata string) string {
	text, _, _ := strings.Cut(metadata, " @")
	return text
}
