package metrics

import (
	"math"
	"sync/atomic"
)

// Histogram counts observations by their size. Any goroutine may observe and read; none ever waits. Make it with
// NewHistogram.
type Histogram struct {
	bounds []float64
	counts []atomic.Uint64 // of observations up to each bound, and above the one before; the last are above all bounds
	sum    atomic.Uint64   // the bits of a float64
}

// NewHistogram makes a histogram with the buckets of a metric.
func NewHistogram(m *Metric) *Histogram {
	return &Histogram{bounds: m.Buckets, counts: make([]atomic.Uint64, len(m.Buckets)+1)}
}

// Observe counts one observation.
func (h *Histogram) Observe(value float64) {
	i := 0
	for i < len(h.bounds) && value > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+value)) {
			return
		}
	}
}

// Snapshot is what a histogram has counted.
type Snapshot struct {
	Count   uint64
	Sum     float64
	Buckets []Bucket // those of the metric
}

// Bucket counts the observations up to a bound, smaller ones included.
type Bucket struct {
	UpTo  float64
	Count uint64
}

// Snapshot returns what was observed so far. An observation under way may be in the counts and not yet in the sum.
func (h *Histogram) Snapshot() Snapshot {
	s := Snapshot{Buckets: make([]Bucket, len(h.bounds))}
	for i := range h.counts {
		s.Count += h.counts[i].Load()
		if i < len(h.bounds) {
			s.Buckets[i] = Bucket{h.bounds[i], s.Count}
		}
	}
	s.Sum = math.Float64frombits(h.sum.Load())
	return s
}

// The buckets of times: short ones are of calls and disks, long ones of what waits for other machines.
var (
	shortTimes = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}
	longTimes  = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600}
)
