package crashtest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// verdict collects the differences between the log of a paused load and the ledger.
type verdict struct {
	*ledger
	log      map[place]*view // all records
	visible  map[place]*view // records visible to read_committed
	cut      bool            // the end of the log may be missing, including acknowledged records
	problems []string
}

// judge reads everything with new clients and returns the problems. It returns an error if the log cannot be read.
func judge(ctx context.Context, l *load, cut bool) ([]string, error) {
	client := newClient(ctx, l.t, l.address)
	defer client.Close()
	all := places(numbers, input, output, audit)
	v := &verdict{ledger: l.ledger, cut: cut}
	if err := v.nothingIsOpen(ctx, client, all); err != nil || len(v.problems) > 0 {
		return v.problems, err
	}
	var err error
	if v.log, err = read(ctx, l.address, kgo.ReadUncommitted(), all); err != nil {
		return nil, fmt.Errorf("uncommitted: %w", err)
	}
	if v.everyTransactionHasAMarker(); len(v.problems) > 0 {
		return v.problems, nil // the end for read_committed is unknown
	}
	if v.visible, err = read(ctx, l.address, kgo.ReadCommitted(), all); err != nil {
		return nil, fmt.Errorf("committed: %w", err)
	}
	v.Lock()
	v.isWhole()
	v.markersAreObeyed()
	v.numbersAreWhole()
	v.acknowledgedIsThere()
	sources := v.transactionsAreWhole()
	v.Unlock()
	if err := v.groupsAreExact(ctx, client, sources); err != nil {
		return nil, err
	}
	if !cut {
		v.watcherSawTheLog(ctx, l.watched)
	}
	return v.problems, v.topicsExist(ctx, client)
}

func (v *verdict) finds(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// nothingIsOpen checks that every transaction has ended, so both isolation levels have the same end. It waits for that,
// because Apache Kafka acknowledges the end of a transaction before it writes the markers.
func (v *verdict) nothingIsOpen(ctx context.Context, client *kgo.Client, all []place) error {
	for deadline := time.Now().Add(waitTimeout); ; {
		stable, err := bounds(ctx, client, kgo.ReadCommitted(), latest, all)
		if err != nil {
			return err
		}
		high, err := bounds(ctx, client, kgo.ReadUncommitted(), latest, all)
		if err != nil {
			return err
		}
		if maps.Equal(stable, high) {
			return nil
		}
		if time.Now().After(deadline) {
			for _, at := range all {
				if stable[at] != high[at] {
					v.finds("%s: a transaction is left open: last stable offset %d, high watermark %d", at, stable[at], high[at])
				}
			}
			return nil
		}
	}
}

// isWhole checks that there is an entry at each offset from 0, because no records are deleted.
func (v *verdict) isWhole() {
	for at, log := range v.log {
		if log.start != 0 {
			v.finds("%s begins at offset %d", at, log.start)
		}
		for i, e := range log.entries {
			if e.offset != int64(i) {
				v.finds("%s: entry %d of the log has offset %d", at, i, e.offset)
				break
			}
		}
	}
}

// markersAreObeyed checks that read_committed shows exactly the records that the markers in the log commit.
func (v *verdict) markersAreObeyed() {
	for at, log := range v.log {
		want, got := obeyed(log.entries), v.visible[at].entries
		if where, same := compare(want, got); !same {
			v.finds("%s: read_committed shows %d entries, want %d by the markers; the first difference is %s", at, len(got), len(want), where)
		}
	}
}

// obeyed returns the entries without the records of aborted transactions. All of them must be visible when no transaction is
// open.
func obeyed(log []entry) (visible []entry) {
	ends, _ := endings(log)
	for i, e := range log {
		if end := ends[i]; end < 0 || log[end].commit {
			visible = append(visible, e)
		}
	}
	return visible
}

// endings returns, for each record of a transaction, the index of its marker, and -1 for all other entries. open contains the
// records without a marker.
func endings(log []entry) (ends []int, open map[int64][]int) {
	ends, open = make([]int, len(log)), map[int64][]int{}
	for i, e := range log {
		ends[i] = -1
		switch {
		case e.marker:
			for _, j := range open[e.producer] {
				ends[j] = i
			}
			delete(open, e.producer)
		case e.transactional:
			open[e.producer] = append(open[e.producer], i)
		}
	}
	return ends, open
}

// everyTransactionHasAMarker checks that an ended transaction has a marker in each partition that it wrote to.
func (v *verdict) everyTransactionHasAMarker() {
	for at, log := range v.log {
		_, open := endings(log.entries)
		for producer, records := range open {
			first := log.entries[records[0]]
			v.finds("%s: transaction %s of producer %d has %d records from offset %d on, but no marker after them", at, first.key, producer, len(records), first.offset)
		}
	}
}

// compare returns the first difference of two sequences.
func compare(want, got []entry) (where string, same bool) {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("%v, which is missing", want[i]), false
		case i >= len(want):
			return fmt.Sprintf("%v, which is too many", got[i]), false
		case want[i] != got[i]:
			return fmt.Sprintf("%v, in whose place is %v", want[i], got[i]), false
		}
	}
	return "", true
}

// numbersAreWhole checks that the records of a producer in a partition are 0, 1, 2 …
func (v *verdict) numbersAreWhole() {
	for _, at := range places(numbers, input) {
		next := map[string]int{}
		for _, e := range v.log[at].entries {
			number, err := numberOf(e.value)
			if err != nil {
				v.finds("%s@%d: %v", at, e.offset, err)
				continue
			}
			if number != next[e.key] {
				v.finds("%s@%d: %s has number %d after %d", at, e.offset, e.key, number, next[e.key]-1)
			}
			next[e.key] = number + 1
		}
	}
}

// acknowledgedIsThere checks that each acknowledged record is at its offset. numbersAreWhole checks for duplicates.
func (v *verdict) acknowledgedIsThere() {
	for at, acknowledged := range v.records {
		entries := v.log[at].entries
		for _, a := range acknowledged {
			if a.offset < 0 || a.offset >= int64(len(entries)) {
				if a.offset < 0 || !v.cut {
					v.finds("%s@%d: number %d of %s was acknowledged there, but the log ends at %d", at, a.offset, a.number, a.writer, len(entries))
				}
				continue
			}
			e := entries[a.offset]
			if number, err := numberOf(e.value); err != nil || e.key != a.writer || number != a.number {
				v.finds("%s@%d: number %d of %s was acknowledged there, but the log has %.30q of %q", at, a.offset, a.number, a.writer, e.value, e.key)
			}
		}
	}
}

// topicsExist checks that each topic whose creation was acknowledged exists.
func (v *verdict) topicsExist(ctx context.Context, client *kgo.Client) error {
	there, err := existing(ctx, client)
	if err != nil {
		return err
	}
	for _, topic := range v.topics {
		want := max(1, int(topics[topic]))
		if got := there[topic]; got != want && !v.cut {
			v.finds("topic %s was created with %d partitions and has %d", topic, want, got)
		}
	}
	return nil
}

// watcherSawTheLog checks that the client that was reading all the time has seen the same as a new client.
func (v *verdict) watcherSawTheLog(ctx context.Context, w *watch) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	want, counts := map[place][]entry{}, map[place]int{}
	for _, at := range places(numbers, output, audit) {
		for _, e := range v.visible[at].entries {
			if !e.marker {
				want[at] = append(want[at], e)
			}
		}
		counts[at] = len(want[at])
	}
	seen := w.reach(ctx, counts)
	for at := range counts {
		if where, same := compare(want[at], seen[at]); !same {
			v.finds("%s: the client that was reading all the time has seen %d records, a new client sees %d; the first difference is %s", at, len(seen[at]), len(want[at]), where)
		}
	}
}

// listed formats problems as text, at most enough of them.
func listed(problems []string) string {
	const enough = 20
	text := fmt.Sprintf("%d findings:\n%s", len(problems), strings.Join(problems[:min(enough, len(problems))], "\n"))
	if len(problems) > enough {
		text += "\n…"
	}
	return text
}
