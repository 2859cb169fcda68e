package runner

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// note is metadata that the runner commits with an offset, after the task's own (task.Offset.Metadata): the ids of the
// topics and the formats of the stores that the offset belongs to. Every process reads it when it opens a task.
//
//	( @topic=<id> | @first=<n> | @store=<name>:<id of its changelog>:<format, URL-encoded> | @reset=1 )*, a space before each
//
// Names of stores and clocks contain no '@', so the task's metadata and the note can be told apart.
type note struct {
	topic             string               // id of the topic; "" if the cluster has no ids
	initialPartitions int32                // number of partitions when the application began to read the topic; 0 if unknown
	stores            map[string]storeNote // by name; only in the note of the first input of a task
	reset             bool                 // Reset has set the offset: earlier state is invalid
}

// storeNote identifies the changelog and the format of a store.
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
	if n.initialPartitions > 0 {
		field("first", strconv.Itoa(int(n.initialPartitions)))
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

// parseNote parses the output of String anywhere in the metadata of an offset. It ignores everything else.
func parseNote(metadata string) note {
	n := note{stores: map[string]storeNote{}}
	for field := range strings.FieldsSeq(metadata) {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "@topic":
			n.topic = value
		case "@first":
			first, _ := strconv.ParseInt(value, 10, 32)
			n.initialPartitions = int32(first)
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

// withoutNote returns the metadata of an offset without the runner's note.
func withoutNote(metadata string) string {
	text, _, _ := strings.Cut(metadata, " @")
	return text
}
