package metrics

import (
	"slices"
	"strings"
	"sync"
)

// Tally counts rare events by their labels: failures, restarts, rebalances. Any goroutine may use it. It takes a lock, so it is
// nothing for what happens with every record. The zero value is empty.
type Tally struct {
	mu     sync.Mutex
	counts map[string]int64 // by the labels, joined by zero bytes
}

// Add counts n events. With n = 0 the labels are there from then on, so that the first event is seen as an increase.
func (t *Tally) Add(n int64, labels ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[strings.Join(labels, "\x00")] += n
}

// Collect emits a sample of m for all labels that were counted.
func (t *Tally) Collect(m *Metric, emit func(Sample)) {
	t.mu.Lock()
	samples := make([]Sample, 0, len(t.counts))
	for labels, n := range t.counts {
		samples = append(samples, m.Of(float64(n), strings.Split(labels, "\x00")...))
	}
	t.mu.Unlock()
	slices.SortFunc(samples, func(a, b Sample) int { return slices.Compare(a.Labels, b.Labels) })
	for _, s := range samples {
		emit(s)
	}
}
