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

// positions contains the changelog positions of the stores of this process. Workers update it at each commit, and each join
// request sends it to the leader of the group, which uses it to assign tasks. It is also saved to a file, with one line for
// each partition of a store:
//
//	<store> <partition> <next offset to restore>
//
// The file is only a hint: it may be older than the databases, or missing.
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

// of returns the position of a store, or assign.Unknown.
func (p *positions) of(store string, partition int32) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next, ok := p.next[storePartition{store, partition}]; ok {
		return next
	}
	return assign.Unknown
}

// load reads the file up to the first invalid line.
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

// save overwrites the file atomically.
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
	if err := r.positions.save(r.place.positionsFile()); err != nil {
		r.log.Warn("failed to save the positions of the stores", "error", err)
	}
}

// notePositions updates the positions of the task's stores. The worker calls it after a commit.
func (t *running) notePositions() {
	for _, store := range t.sub.Stores {
		next, err := t.task.Restored(store.Name())
		if err != nil {
			return // the next commit returns the same error
		}
		t.positions.note(store.Name(), t.partition, next)
	}
}

// member returns what this process sends to the leader of its group: the hash of its plan, and the stores on its disk.
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
				m.Stores = append(m.Stores, assign.Store{Name: store.Name(), Partition: partition, Position: r.positions.of(store.Name(), partition)})
			}
		}
	}
	slices.SortStableFunc(m.Stores, func(a, b assign.Store) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// userData returns the user data of a join request. It is called before each join.
func (s *supervisor) userData() []byte {
	s.savePositions()
	return assign.Encode(s.runner.member())
}

// plansDiffer is called in the leader of the group.
func (s *supervisor) plansDiffer(plans [][]string) {
	s.log.Warn("the members of the group run different topologies; unless an upgrade is in progress, these are different applications with the same name",
		"members", plans)
}

// groups returns the input topics and the stores of each sub-topology. Partition p of all its topics makes one task.
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
