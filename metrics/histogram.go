package metrics

import (
	"math"
	"sync/atomic"
)

// Histogram counts observations in buckets. It may be used from any goroutine and never blocks. Create it with NewHistogram.
type Histogram struct {
	bounds []float64
	counts []atomic.Uint64 // observations in each bucket, without those of the buckets before it; the last bucket has no upper bound
	sum    atomic.Uint64   // the bits of a float64
}

// NewHistogram returns a histogram with the buckets of a metric.
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

// Snapshot is the state of a histogram at one moment.
type Snapshot struct {
	Count   uint64
	Sum     float64
	Buckets []Bucket // one per bucket of the metric
}

// Bucket is the cumulative number of observations up to a bound.
type Bucket struct {
	UpTo  float64
	Count uint64
}

// Snapshot returns the observations so far. A concurrent observation may be in the counts but not yet in the sum.
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

// Buckets for durations: short ones for calls and disks, long ones for operations that wait for other machines.
var (
	shortTimes = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}
	longTimes  = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600}
)
