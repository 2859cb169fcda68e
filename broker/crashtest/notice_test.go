package crashtest

import (
	"strings"
	"testing"
)

// sound returns a verdict on a correct log: two numbers in each partition that has any, a committed transaction and an
// aborted one.
func sound() *verdict {
	v := &verdict{ledger: newLedger(), log: map[place]*view{}, visible: map[place]*view{}}
	for _, at := range places(numbers, input) {
		v.log[at] = logOf(
			entry{key: "writer", value: string(numbered(0)), producer: 1},
			entry{key: "writer", value: string(numbered(1)), producer: 1},
		)
		v.records[at] = []acknowledgement{{0, "writer", 0}, {1, "writer", 1}}
		v.asked[at], v.kept[at] = 2, 1
	}
	for _, at := range places(output, audit) {
		v.log[at] = logOf(
			entry{key: "bad", value: "1 0 0", producer: 2, transactional: true},
			entry{producer: 2, marker: true},
			entry{key: "good", value: "1 0 0", producer: 2, transactional: true},
			entry{producer: 2, marker: true, commit: true},
		)
	}
	v.outcomes["good"], v.outcomes["bad"] = committed, aborted
	for at, log := range v.log {
		v.visible[at] = &view{end: log.end, entries: obeyed(log.entries)}
	}
	return v
}

// logOf returns a log of the entries with consecutive offsets.
func logOf(entries ...entry) *view {
	for i := range entries {
		entries[i].offset = int64(i)
	}
	return &view{end: int64(len(entries)), entries: entries}
}

// judged runs the checks that need no broker.
func (v *verdict) judged(transforming, committing map[place]int64) string {
	v.everyTransactionHasAMarker()
	v.isWhole()
	v.markersAreObeyed()
	v.numbersAreWhole()
	v.acknowledgedIsThere()
	v.transformingIsExact(transforming, v.transactionsAreWhole())
	v.committingIsExact(committing)
	return strings.Join(v.problems, "\n")
}

// TestVerdictNotices: each kind of error in the log is found.
func TestVerdictNotices(t *testing.T) {
	n, in, out := place{numbers, 0}, place{input, 0}, place{output, 1}
	type offsets = map[place]int64
	for _, test := range []struct {
		promise string
		spoil   func(v *verdict, transforming, committing offsets)
		want    string
	}{
		{"nothing", func(*verdict, offsets, offsets) {}, ""},
		{"acknowledged is there", func(v *verdict, _, _ offsets) { v.log[n] = logOf(v.log[n].entries[0]) }, "number 1 of writer was acknowledged there, but the log ends at 1"},
		{"at its offset", func(v *verdict, _, _ offsets) { v.records[n][0].offset = 1 }, "number 0 of writer was acknowledged there, but the log has"},
		{"once", func(v *verdict, _, _ offsets) { v.log[n] = logOf(append(v.log[n].entries, v.log[n].entries[1])...) }, "writer has number 1 after 1"},
		{"without gap", func(v *verdict, _, _ offsets) { v.log[n] = logOf(v.log[n].entries[1]) }, "writer has number 1 after -1"},
		{"as it was", func(v *verdict, _, _ offsets) { v.log[n].entries[0].value = "0 x" }, "is not a number"},
		{"offsets go up by one", func(v *verdict, _, _ offsets) { v.log[n].entries[1].offset = 2 }, "entry 1 of the log has offset 2"},
		{"from 0", func(v *verdict, _, _ offsets) { v.log[n].start = 1 }, "begins at offset 1"},
		{"a marker ends", func(v *verdict, _, _ offsets) { v.log[out].entries = v.log[out].entries[:3] }, "no marker after them"},
		{"a marker is obeyed", func(v *verdict, _, _ offsets) { v.visible[out].entries = v.log[out].entries }, "the first difference is"},
		{"committed is visible", func(v *verdict, _, _ offsets) { v.outcomes["better"] = committed }, "better was acknowledged as committed, but nothing of it is visible"},
		{"aborted is not", func(v *verdict, _, _ offsets) { v.outcomes["good"] = aborted }, "good was acknowledged as aborted, but is visible"},
		{"all or nothing", func(v *verdict, _, _ offsets) { v.visible[out].entries = nil }, "good is torn: output/1 has 0 of its 1 records"},
		{"once each", func(v *verdict, _, _ offsets) {
			for _, at := range places(output, audit) {
				v.visible[at].entries = append(v.visible[at].entries, entry{key: "again", value: "1 0 0"})
			}
		}, "input/0@0 was transformed twice"},
		{"offsets of the transaction", func(_ *verdict, transforming, _ offsets) { transforming[in] = 0 }, "has committed input/0@0, but 1 of its records are transformed"},
		{"not ahead of it", func(_ *verdict, transforming, _ offsets) { transforming[in] = 2 }, "there is no transaction with offset 1"},
		{"commits are kept", func(_ *verdict, _, committing offsets) { committing[n] = 0 }, "offset 1 of numbers/0 was acknowledged, and it is at 0"},
		{"none that nobody asked for", func(_ *verdict, _, committing offsets) { committing[n] = 3 }, "never asked for more than 2"},
		{"none ahead of the log", func(v *verdict, _, committing offsets) { v.asked[n], committing[n] = 5, 5 }, "which ends at 2"},
	} {
		t.Run(test.promise, func(t *testing.T) {
			v := sound()
			transforming, committing := offsets{in: 1}, offsets{}
			for _, at := range places(numbers) {
				committing[at] = 1
			}
			test.spoil(v, transforming, committing)
			got := v.judged(transforming, committing)
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
