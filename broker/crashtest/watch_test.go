package crashtest

import (
	"context"
	"maps"

	"github.com/twmb/franz-go/pkg/kgo"
)

// watch is a read_committed client that reads all the time.
type watch struct {
	monitor
	seen map[place][]entry
}

func newWatch() *watch {
	w := &watch{seen: map[place][]entry{}}
	w.init()
	return w
}

// watch reads all records once, through all restarts. The verdict compares them with the log later; watch itself only checks
// the offsets.
func (l *load) watch(ctx context.Context) {
	const name = "watcher"
	from := map[string]map[int32]kgo.Offset{}
	for _, at := range places(numbers, output, audit) {
		if from[at.topic] == nil {
			from[at.topic] = map[int32]kgo.Offset{}
		}
		from[at.topic][at.partition] = kgo.NewOffset().At(0)
	}
	client := newClient(ctx, l.t, l.address, kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		l.complain(name, fetches)
		fetches.EachRecord(func(r *kgo.Record) {
			if last := l.watched.add(r); r.Offset <= last {
				l.find("%s: %s/%d goes back from offset %d to %d", name, r.Topic, r.Partition, last, r.Offset)
			}
		})
	}
}

// add adds a record and returns the offset of the previous one.
func (w *watch) add(r *kgo.Record) (last int64) {
	w.Lock()
	defer w.Unlock()
	at := place{r.Topic, r.Partition}
	last = -1
	if before := w.seen[at]; len(before) > 0 {
		last = before[len(before)-1].offset
	}
	w.seen[at] = append(w.seen[at], newEntry(r))
	w.changed.Broadcast()
	return last
}

// reach waits until the given numbers of records were seen, and returns the records.
func (w *watch) reach(ctx context.Context, want map[place]int) map[place][]entry {
	w.Lock()
	defer w.Unlock()
	w.await(ctx, func() bool {
		for at, n := range want {
			if len(w.seen[at]) < n {
				return false
			}
		}
		return true
	})
	return maps.Clone(w.seen)
}
