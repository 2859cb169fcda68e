package task

import (
	"strconv"
	"strings"

	"github.com/rio-streams/rio/state"
)

// The metadata of an offset holds the time of the task, and the times of its operators and of its stores of windows,
// all in ms since 1970. Without them windows would close differently after a restart.
//
//	rio:2:<stream time; -1 before the first record>( <name>=<time>)*
//
// In version 1 the time of the task was that of all its operators.
const (
	metadataPrefix    = "rio:2:"
	metadataPrefixOld = "rio:1:"
)

// metadata returns the metadata to commit with each offset.
func (t *Task) metadata() string { return Metadata(t.streamTime, t.stores.Times) }

// Metadata returns the offset metadata with which a task resumes at a stream time and its clocks at theirs.
func Metadata(streamTime int64, times func(each func(name string, ms int64))) string {
	text := strconv.AppendInt([]byte(metadataPrefix), streamTime, 10)
	times(func(name string, ms int64) {
		text = append(append(append(text, ' '), name...), '=')
		text = strconv.AppendInt(text, ms, 10)
	})
	return string(text)
}

// Times returns the times of the clocks in the metadata of a task's offsets.
func Times(metadata []string) state.Times {
	_, times := parseMetadata(metadata)
	return times
}

// parseMetadata returns the times in the metadata of a task's offsets. For each it takes the greatest: an input that
// does not advance keeps old metadata. The times are nil if there is no metadata of ours.
func parseMetadata(texts []string) (streamTime int64, times state.Times) {
	streamTime = -1
	old := int64(-1)
	for _, text := range texts {
		if rest, ok := strings.CutPrefix(text, metadataPrefixOld); ok {
			if ms, err := strconv.ParseInt(rest, 10, 64); err == nil {
				old = max(old, ms)
			}
			continue
		}
		rest, ok := strings.CutPrefix(text, metadataPrefix)
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			continue
		}
		if times == nil {
			times = state.Times{}
		}
		if ms, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
			streamTime = max(streamTime, ms)
		}
		for _, field := range fields[1:] {
			name, value, _ := strings.Cut(field, "=")
			if ms, err := strconv.ParseInt(value, 10, 64); err == nil {
				if before, found := times[name]; !found || ms > before {
					times[name] = ms
				}
			}
		}
	}
	if times == nil && old >= 0 {
		times = state.Times{"": old} // closed windows stay closed
	}
	return max(streamTime, old), times
}
