package runner

import (
	"bufio"
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rio-streams/rio/runner/internal/assign"
)

// positions is how far the stores of this process are, in offsets of their changelogs. Workers note them with each commit, and every
// join tells them to the leader of the group. They are also kept in a file, a line for each partition of a store:
//
//	<store> <partition> <next offset to restore>
//
// It is a hint, for the placement of tasks only: it may be older than the databases, or missing.
type positions struct {
	mu   sync.Mutex
	next map[storePartition]int64
}

type storePartition struct {
	store     string
	partition int32
}

func (p *positions) note(store string, partition int32, next int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = map[storePartition]int64{}
	}
	p.next[storePartition{store, partition}] = next
}

// of returns the position of a store, assign.Unknown if there is none.
func (p *positions) of(store string, partition int32) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next, ok := p.next[storePartition{store, partition}]; ok {
		return next
	}
	return assign.Unknown
}

// load reads the file up to the first line that makes no sense.
func (p *positions) load(path string) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var at storePartition
		var next int64
		if n, _ := fmt.Sscanf(lines.Text(), "%s %d %d", &at.store, &at.partition, &next); n != 3 || next < 0 {
			return
		}
		p.note(at.store, at.partition, next)
	}
}

// save writes the file, all of it or nothing.
func (p *positions) save(path string) error {
	p.mu.Lock()
	next := maps.Clone(p.next)
	p.mu.Unlock()
	var text strings.Builder
	for _, at := range slices.SortedFunc(maps.Keys(next), func(a, b storePartition) int {
		return cmp.Or(strings.Compare(a.store, b.store), cmp.Compare(a.partition, b.partition))
	}) {
		fmt.Fprintln(&text, at.store, at.partition, next[at])
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(text.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func (p *place) positionsFile() string { return filepath.Join(p.dir, "positions") }

func (r *runner) savePositions() {
	if err := r.held.save(r.place.positionsFile()); err != nil {
		r.log.Warn("save the positions of the stores", "error", err)
	}
}

// notePositions notes how far the task's stores are. Its worker calls it when everything is committed.
func (t *running) notePositions() {
	for _, store := range t.sub.Stores {
		next, err := t.task.Restored(store.Name())
		if err != nil {
			return // the next commit meets the same error
		}
		t.held.note(store.Name(), t.partition, next)
	}
}

// member is what this process tells the leader of its group: its plan, and the stores that are on its disk.
func (r *runner) member() assign.Member {
	m := assign.Member{Plan: r.planHash}
	for _, sub := range r.plan.Subtopologies {
		for partition := range sub.Tasks(r.counts) {
			dir := r.place.taskDir(sub, partition)
			if dir == "" {
				continue
			}
			if _, err := os.Stat(dir); err != nil {
				continue
			}
			for _, store := range sub.Stores {
				m.Stores = append(m.Stores, assign.Store{Name: store.Name(), Partition: partition, Position: r.held.of(store.Name(), partition)})
			}
		}
	}
	slices.SortStableFunc(m.Stores, func(a, b assign.Store) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// userData is asked for before every join.
func (s *supervisor) userData() []byte {
	s.savePositions()
	return assign.Encode(s.runner.member())
}

// plansDiffer is called in the leader of the group.
func (s *supervisor) plansDiffer(plans [][]string) {
	s.log.Warn("the members of the group run different topologies; unless an upgrade is under way, they are different applications under one name",
		"members", plans)
}

// groups returns, for each sub-topology, the topics whose partitions of one number make a task, and its stores.
func (r *runner) groups() []assign.Group {
	groups := make([]assign.Group, len(r.plan.Subtopologies))
	for i, s := range r.plan.Subtopologies {
		for _, source := range s.Sources {
			groups[i].Topics = append(groups[i].Topics, r.names().Topic(source.Reads))
		}
		for _, store := range s.Stores {
			groups[i].Stores = append(groups[i].Stores, store.Name())
		}
	}
	return groups
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}
