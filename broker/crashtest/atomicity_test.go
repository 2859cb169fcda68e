package crashtest

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// transaction is the visible part of a transaction.
type transaction struct {
	of      int                     // expected number of records in each place
	found   map[place]int           // actual number of records
	sources map[place]map[int64]int // number of places with a record for an offset of the input
}

// transactionsAreWhole checks that every visible transaction is complete in all places and ended as acknowledged to its
// client. It returns the offsets of the input that have been transformed.
func (v *verdict) transactionsAreWhole() map[place]map[int64]string {
	visible := v.visibleTransactions()
	for id, outcome := range v.outcomes {
		_, there := visible[id]
		switch {
		case outcome == committed && !there && !v.cut:
			v.finds("transaction %s was acknowledged as committed, but nothing of it is visible", id)
		case outcome == aborted && there:
			v.finds("transaction %s was acknowledged as aborted, but is visible: %v", id, visible[id].found)
		}
	}
	transformed := map[place]map[int64]string{}
	for id, tx := range visible {
		for _, at := range places(output, audit) {
			if tx.found[at] != tx.of {
				v.finds("transaction %s is torn: %s has %d of its %d records; all: %v", id, at, tx.found[at], tx.of, tx.found)
			}
		}
		for from, offsets := range tx.sources {
			if transformed[from] == nil {
				transformed[from] = map[int64]string{}
			}
			for offset, copies := range offsets {
				if want := len(places(output, audit)); copies != want {
					v.finds("transaction %s has %d records for %s@%d, want %d", id, copies, from, offset, want)
				}
				if other, twice := transformed[from][offset]; twice {
					v.finds("%s@%d was transformed twice, by %s and by %s", from, offset, other, id)
				}
				transformed[from][offset] = id
			}
		}
	}
	return transformed
}

func (v *verdict) visibleTransactions() map[string]*transaction {
	visible := map[string]*transaction{}
	for _, at := range places(output, audit) {
		for _, e := range v.visible[at].entries {
			if e.marker {
				continue
			}
			w, err := parseWritten(e.key, e.value)
			if err != nil {
				v.finds("%s@%d: %v", at, e.offset, err)
				continue
			}
			tx := visible[w.transaction]
			if tx == nil {
				tx = &transaction{of: w.of, found: map[place]int{}, sources: map[place]map[int64]int{}}
				visible[w.transaction] = tx
			}
			tx.found[at]++
			if tx.sources[w.source] == nil {
				tx.sources[w.source] = map[int64]int{}
			}
			tx.sources[w.source][w.offset]++
		}
	}
	return visible
}

// groupsAreExact compares the committed offsets of the groups with the log and with the ledger.
func (v *verdict) groupsAreExact(ctx context.Context, client *kgo.Client, transformed map[place]map[int64]string) error {
	offsets, err := groupOffsets(ctx, client, transforming, input)
	if err != nil {
		return err
	}
	v.transformingIsExact(offsets, transformed)
	if offsets, err = groupOffsets(ctx, client, committing, numbers); err != nil {
		return err
	}
	v.committingIsExact(offsets)
	return nil
}

// transformingIsExact checks that the committed offsets of the group match its visible results exactly.
func (v *verdict) transformingIsExact(offsets map[place]int64, transformed map[place]map[int64]string) {
	for _, at := range places(input) {
		for offset := range offsets[at] {
			if transformed[at][offset] == "" {
				v.finds("group %s has committed %s@%d, and there is no transaction with offset %d", transforming, at, offsets[at], offset)
				break
			}
		}
		if got, end := offsets[at], v.log[at].end; got > end {
			v.finds("group %s has committed %s@%d, which ends at %d", transforming, at, got, end)
		}
		if n := int64(len(transformed[at])); n > offsets[at] {
			v.finds("group %s has committed %s@%d, but %d of its records are transformed", transforming, at, offsets[at], n)
		}
	}
}

// committingIsExact checks that the group's offset is the last acknowledged one, or one that was requested later and not
// acknowledged.
func (v *verdict) committingIsExact(offsets map[place]int64) {
	v.Lock()
	defer v.Unlock()
	for _, at := range places(numbers) {
		switch got := offsets[at]; {
		case got < v.kept[at] && !v.cut:
			v.finds("group %s: offset %d of %s was acknowledged, and it is at %d", committing, v.kept[at], at, got)
		case got > v.asked[at]:
			v.finds("group %s is at %d of %s, and never asked for more than %d", committing, got, at, v.asked[at])
		case got > v.log[at].end:
			v.finds("group %s is at %d of %s, which ends at %d", committing, got, at, v.log[at].end)
		}
	}
}
