package metrics

import (
	"slices"
	"strings"
	"sync"
)

// Tally counts rare events by labels, such as failures, restarts and rebalances. It may be used from any goroutine. It takes a
// lock, so it is not suitable for events that happen for every record. The zero value is empty.
type Tally struct {
	mu     sync.Mutex
	counts map[string]int64 // by the labels, joined by zero bytes
}

// Add counts n events. Add with n = 0 creates a sample of 0, so that the first event is visible as an increase.
func (t *Tally) Add(n int64, labels ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[strings.Join(labels, "\x00")] += n
}

// Collect emits a sample of m for each set of labels.
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
