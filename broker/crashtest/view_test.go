package crashtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// entry is a record or a transaction marker.
type entry struct {
	offset        int64
	key, value    string
	producer      int64
	transactional bool
	marker        bool
	commit        bool // the marker commits; only for markers
}

func newEntry(r *kgo.Record) entry {
	e := entry{offset: r.Offset, producer: r.ProducerID, transactional: r.Attrs.IsTransactional(), marker: r.Attrs.IsControl()}
	if e.marker {
		// The key of a marker is its version and its type, two bytes each; type 1 commits.
		e.commit = len(r.Key) >= 4 && binary.BigEndian.Uint16(r.Key[2:]) == 1
		return e
	}
	e.key, e.value = string(r.Key), string(r.Value)
	return e
}

func (e entry) String() string {
	switch {
	case e.marker && e.commit:
		return fmt.Sprintf("%d: commit of producer %d", e.offset, e.producer)
	case e.marker:
		return fmt.Sprintf("%d: abort of producer %d", e.offset, e.producer)
	default:
		return fmt.Sprintf("%d: %q=%.30q of producer %d", e.offset, e.key, e.value, e.producer)
	}
}

// view is the contents of a partition at one isolation level, with its markers.
type view struct {
	start, end int64
	entries    []entry
}

// readTimeout bounds how long reading everything may take.
const readTimeout = time.Minute

// read returns views of places, read by a new client. An error names the place that cannot be read further.
func read(ctx context.Context, address string, level kgo.IsolationLevel, places []place) (map[place]*view, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	client, err := kgo.NewClient(clientOptions(ctx, address)...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	starts, err := bounds(ctx, client, level, earliest, places)
	if err != nil {
		return nil, err
	}
	ends, err := bounds(ctx, client, level, latest, places)
	if err != nil {
		return nil, err
	}
	views := map[place]*view{}
	from := map[string]map[int32]kgo.Offset{}
	for _, at := range places {
		views[at] = &view{start: starts[at], end: ends[at]}
		if ends[at] == starts[at] {
			continue
		}
		if from[at.topic] == nil {
			from[at.topic] = map[int32]kgo.Offset{}
		}
		from[at.topic][at.partition] = kgo.NewOffset().At(starts[at])
	}
	return views, fill(ctx, address, level, views, from)
}

// fill reads until each view is complete.
func fill(ctx context.Context, address string, level kgo.IsolationLevel, views map[place]*view, from map[string]map[int32]kgo.Offset) error {
	client, err := kgo.NewClient(clientOptions(ctx, address, kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(level),
		kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		at, missing := incomplete(views)
		if !missing {
			return nil
		}
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			v := views[at]
			return fmt.Errorf("reading %s stopped after %d records, before its end at offset %d", at, len(v.entries), v.end)
		}
		for _, failed := range fetches.Errors() {
			return fmt.Errorf("reading %s/%d: %w", failed.Topic, failed.Partition, failed.Err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if v := views[place{r.Topic, r.Partition}]; r.Offset < v.end {
				v.entries = append(v.entries, newEntry(r))
			}
		})
	}
}

// incomplete returns a place that is not read to its end. When no transaction is open, the last entry of a log is visible at
// each isolation level, because it is a marker or a record outside of transactions.
func incomplete(views map[place]*view) (place, bool) {
	for at, v := range views {
		if v.end > v.start && (len(v.entries) == 0 || v.entries[len(v.entries)-1].offset < v.end-1) {
			return at, true
		}
	}
	return place{}, false
}
