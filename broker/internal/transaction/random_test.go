package transaction_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/broker/internal/transaction"
)

// TestAnythingMayHappen lets processes with one transactional id start, fence each other, use old producer ids and
// epochs, repeat requests, and stop. Epochs never decrease. A fenced producer never succeeds again. Each transaction
// ends exactly once, as its owner requested or aborted, with markers in exactly its partitions.
func TestAnythingMayHappen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"come":           w.come,
			"continue":       w.goOn,
			"add":            w.add,
			"write":          w.write,
			"commit offsets": w.commitOffsets,
			"end":            w.end,
			"end, too":       w.end, // otherwise most transactions would be aborted
			"wait":           w.wait,
			"restart":        w.restart,
			"":               w.check,
		})
		w.fallSilent(t)
	})
}

// world is a transactional id, with a simple model of its state.
type world struct {
	*transaction.Transaction
	now       time.Time
	given     int64
	kept      transaction.Snapshot
	highest   transaction.Producer // so far
	processes []*process
	owner     *process                      // nil if no process may continue
	open      *begun                        // nil between transactions
	outcomes  map[transaction.Producer]bool // whether the last transaction was committed
	unheard   transaction.Producer          // a producer whose last response may have been lost
}

// process has initialized the transactional id. It may use every producer that it was ever given; only the last one is
// valid.
type process struct {
	given []transaction.Producer
}

func (p *process) latest() transaction.Producer { return p.given[len(p.given)-1] }

// begun is the contents of an open transaction.
type begun struct {
	producer   transaction.Producer
	partitions map[transaction.Partition]bool
	groups     map[string]bool
}

func newWorld(t *rapid.T) *world {
	w := &world{now: start, highest: transaction.NoProducer, outcomes: make(map[transaction.Producer]bool), unheard: transaction.NoProducer}
	w.Transaction = transaction.New("t", w.newProducerID)
	w.come(t)
	w.kept = w.Snapshot()
	w.kept.Producer.Epoch = rapid.SampledFrom([]int16{0, 32760, 32764, 32765, 32766}).Draw(t, "epoch")
	w.processes[0].given[0] = w.kept.Producer
	w.restart(t)
	return w
}

func (w *world) newProducerID() int64 {
	w.given++
	return w.given
}

// someone draws a process and one of its producers, mostly the latest.
func (w *world) someone(t *rapid.T) (*process, transaction.Producer) {
	who := w.processes[len(w.processes)-1]
	if rapid.IntRange(0, 2).Draw(t, "who") == 0 {
		who = rapid.SampledFrom(w.processes).Draw(t, "process")
	}
	if rapid.IntRange(0, 3).Draw(t, "mistake") == 0 {
		return who, rapid.SampledFrom(who.given[max(0, len(who.given)-3):]).Draw(t, "producer")
	}
	return who, who.latest()
}

func (w *world) isRight(who *process, p transaction.Producer) bool {
	return who == w.owner && p == who.latest()
}

// judge checks a response: the valid producer should succeed if wanted, and no other.
func (w *world) judge(t *rapid.T, what string, who *process, p transaction.Producer, err error, wanted bool) {
	switch right := w.isRight(who, p); {
	case err == nil && !right:
		t.Fatalf("%s by %v succeeded, but %v is valid", what, p, who.given)
	case right && wanted != (err == nil):
		t.Fatalf("%s by %v, which is valid: %v", what, p, err)
	}
}

func (w *world) dialect(t *rapid.T) transaction.Dialect {
	return transaction.Dialect{
		KnowsFencing: rapid.Bool().Draw(t, "knows-fencing"), KnowsAbort: rapid.Bool().Draw(t, "knows-abort"),
		Second: rapid.Bool().Draw(t, "second"),
	}
}

// come starts a new process, which fences all others.
func (w *world) come(t *rapid.T) {
	before := w.Producer()
	ending, err := w.Init(w.now, transaction.NoProducer, w.timeout(t), w.dialect(t))
	if err != nil || w.Producer() == before {
		t.Fatalf("a new process got the producer %v of the previous one: %v", before, err)
	}
	w.ends(t, ending, false, true)
	w.unheard = transaction.NoProducer
	w.owner = &process{given: []transaction.Producer{w.Producer()}}
	w.processes = append(w.processes, w.owner)
}

func (w *world) timeout(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(1, 900).Draw(t, "timeout")) * time.Second
}

// goOn lets a process continue with one of its producers. If it is not the last one, a response may have been lost.
func (w *world) goOn(t *rapid.T) {
	who, p := w.someone(t)
	right := w.isRight(who, p)
	ending, err := w.Init(w.now, p, w.timeout(t), w.dialect(t))
	switch {
	case err != nil && (right || p == w.unheard):
		t.Fatalf("%v cannot continue: %v", p, err)
	case err != nil:
		return
	case who != w.owner:
		t.Fatalf("%v continues although it is fenced", p)
	case !right && w.Producer() != who.latest():
		t.Fatalf("%v got %v, but %v before", p, w.Producer(), who.latest())
	}
	w.ends(t, ending, false, true)
	w.hear(who)
	w.unheard = p
	delete(w.outcomes, p)
}

// hear records the producer that a process was given.
func (w *world) hear(who *process) {
	if w.Producer() != who.latest() {
		who.given = append(who.given, w.Producer())
	}
}

func (w *world) add(t *rapid.T) {
	who, p := w.someone(t)
	if rapid.Bool().Draw(t, "a group") {
		group := w.group(t)
		err := w.AddGroup(w.now, p, group, w.dialect(t))
		w.judge(t, "adding a group", who, p, err, true)
		w.added(p, nil, group, err)
		return
	}
	partitions := []transaction.Partition{w.partition(t), w.partition(t)}
	err := w.AddPartitions(w.now, p, partitions, w.dialect(t))
	w.judge(t, "adding partitions", who, p, err, true)
	w.added(p, partitions, "", err)
}

func (w *world) partition(t *rapid.T) transaction.Partition {
	return transaction.Partition{Topic: rapid.Uint32Range(0, 1).Draw(t, "topic"), Partition: rapid.Int32Range(0, 1).Draw(t, "partition")}
}

func (w *world) group(t *rapid.T) string {
	return rapid.SampledFrom([]string{"g", "h"}).Draw(t, "group")
}

func (w *world) added(p transaction.Producer, partitions []transaction.Partition, group string, err error) {
	if err != nil {
		return
	}
	if w.open == nil {
		w.unheard = transaction.NoProducer // it has received the response, since it uses the producer
		w.open = &begun{p, make(map[transaction.Partition]bool), make(map[string]bool)}
	}
	for _, partition := range partitions {
		w.open.partitions[partition] = true
	}
	if group != "" {
		w.open.groups[group] = true
	}
}

func (w *world) write(t *rapid.T) {
	who, p := w.someone(t)
	if p.ID != w.Producer().ID {
		return // the caller looks up producers by id
	}
	partition, d := w.partition(t), w.dialect(t)
	joins, err := w.MayWrite(transaction.Batch{ID: "t", Epoch: p.Epoch, Transactional: true, Partition: partition}, d)
	part := w.open != nil && w.open.partitions[partition]
	if w.isRight(who, p) && joins == part {
		t.Fatalf("joins = %v, want %v", joins, !part)
	}
	w.judge(t, "writing", who, p, err, part || d.Second)
	if joins && err == nil {
		w.added(p, []transaction.Partition{partition}, "", w.AddPartitions(w.now, p, []transaction.Partition{partition}, d))
	}
}

func (w *world) commitOffsets(t *rapid.T) {
	who, p := w.someone(t)
	group, d := w.group(t), w.dialect(t)
	joins, err := w.MayCommit(p, group, d)
	part := w.open != nil && w.open.groups[group]
	if w.isRight(who, p) && joins == part {
		t.Fatalf("joins = %v, want %v", joins, !part)
	}
	w.judge(t, "committing offsets", who, p, err, part || d.Second)
	if joins && err == nil {
		w.added(p, nil, group, w.AddGroup(w.now, p, group, d))
	}
}

func (w *world) end(t *rapid.T) {
	who, p := w.someone(t)
	commit, d := rapid.Bool().Draw(t, "commit"), w.dialect(t)
	should := w.isRight(who, p) && (w.open != nil || d.Second && !commit)
	ending, err := w.End(w.now, p, commit, d)
	outcome, known := w.outcomes[p]
	again := known && commit == outcome
	switch {
	case err != nil && (should || d.Second && p == w.unheard && again):
		t.Fatalf("%v cannot end its transaction: %v", p, err)
	case err != nil:
		return
	case who != w.owner:
		t.Fatalf("%v ends a transaction although it is fenced", p)
	case !should && !again:
		t.Fatalf("%v got a repeated response without an earlier one, commit %v", p, commit)
	}
	w.ends(t, ending, commit, d.Second)
	w.outcomes[p] = commit
	if d.Second {
		w.hear(who)
		w.unheard = p
		w.outcomes[w.Producer()] = commit // an older client, which does not learn of epoch changes, may repeat the request with the next epoch
	}
}

// ends compares the markers and offsets to write with the contents of the transaction. Markers that fence have a later
// epoch.
func (w *world) ends(t *rapid.T, ending transaction.Ending, commit, fences bool) {
	open := w.open
	w.open = nil
	if open == nil {
		if len(ending.Partitions)+len(ending.Groups) > 0 {
			t.Fatalf("a transaction ends that has not begun: %+v", ending)
		}
		return
	}
	marks := open.producer
	if fences {
		marks.Epoch++
	}
	if ending.Commit != commit || ending.Producer != marks {
		t.Fatalf("the transaction of %v ends as %+v", open.producer, ending)
	}
	compare(t, ending.Partitions, open.partitions)
	compare(t, ending.Groups, open.groups)
}

func compare[T comparable](t *rapid.T, ended []T, begun map[T]bool) {
	left := len(begun)
	for _, x := range ended {
		if begun[x] {
			left--
		}
	}
	if left != 0 || len(ended) != len(begun) {
		t.Fatalf("markers for %v, but the transaction contains %v", ended, begun)
	}
}

func (w *world) wait(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
	w.timeOut(t)
}

func (w *world) timeOut(t *rapid.T) {
	overdue, before := w.Overdue(w.now), w.Producer()
	ending := w.TimeOut(w.now)
	if !overdue && (w.Producer() != before || len(ending.Partitions) > 0) {
		t.Fatalf("ended before its timeout: %+v", ending)
	}
	if !overdue {
		return
	}
	if w.open == nil {
		t.Fatal("overdue without an open transaction")
	}
	w.ends(t, ending, false, true)
	w.owner = nil
}

func (w *world) restart(*rapid.T) {
	s := w.kept
	s.Partitions, s.Groups = slices.Clone(s.Partitions), slices.Clone(s.Groups)
	w.Transaction = transaction.Restore(s, w.newProducerID)
}

// check saves changed state, and finds changes that are not reported as such.
func (w *world) check(t *rapid.T) {
	if saved, ok := w.Unsaved(); ok {
		w.kept = saved
		w.kept.Partitions, w.kept.Groups = slices.Clone(saved.Partitions), slices.Clone(saved.Groups)
	}
	s, before := w.Snapshot(), w.highest
	if diff := cmp.Diff(w.kept, s, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("not saved:\n%s", diff)
	}
	w.highest = s.Producer
	switch {
	case s.Producer.ID < before.ID || s.Producer.ID == before.ID && s.Producer.Epoch < before.Epoch:
		t.Fatalf("%v comes after %v", s.Producer, before)
	case (s.State == transaction.Ongoing) != (w.open != nil):
		t.Fatalf("state %v, but the open transaction is %+v", s.State, w.open)
	case w.owner != nil && (s.Producer != w.owner.latest() || s.Producer.Epoch == 32767):
		t.Fatalf("%v is the owner, but the latest producer given is %v", s.Producer, w.owner.latest())
	}
}

// fallSilent advances the clock until there is no open transaction and no state.
func (w *world) fallSilent(t *rapid.T) {
	w.now = w.now.Add(transaction.MaxTimeout)
	w.timeOut(t)
	w.check(t)
	if w.open != nil {
		t.Fatalf("it never ends: %+v", w.open)
	}
	w.now = w.now.Add(transaction.Retention + time.Millisecond)
	if !w.Expired(w.now) {
		t.Fatal("it is never forgotten")
	}
}
