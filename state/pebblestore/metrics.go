package pebblestore

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/rio-streams/rio/state"
)

// Metrics is what one database measures of itself.
type Metrics struct {
	DiskBytes      int64 // files, the WAL and obsolete ones included
	MemtableBytes  int64 // commits that are not yet in tables
	CompactionDebt int64 // about how many bytes must be compacted until none are due
	L0Files        int64
	L0Sublevels    int64 // writes stop at 24; they are at most as many as there are files
}

// MetricsOf returns the metrics of a database that Open has opened, and false of any other and of one that is closed. Any
// goroutine may call it.
func MetricsOf(database state.DB) (Metrics, bool) {
	d, ok := database.(*db)
	if !ok {
		return Metrics{}, false
	}
	if !d.mu.TryRLock() { // it is being closed
		return Metrics{}, false
	}
	defer d.mu.RUnlock()
	if d.closed {
		return Metrics{}, false
	}
	m := d.pebble.Metrics()
	return Metrics{
		DiskBytes: int64(m.DiskSpaceUsage()), MemtableBytes: int64(m.MemTable.Size),
		CompactionDebt: int64(m.Compact.EstimatedDebt),
		L0Files:        m.Levels[0].TablesCount, L0Sublevels: int64(m.Levels[0].Sublevels),
	}, true
}

// ResourceMetrics is what the databases of a process have done, those included that are closed.
type ResourceMetrics struct {
	Compactions       int64
	CompactionSeconds float64
	WriteStalls       int64 // how often a commit had to wait for flushes or compactions
	Stalled           int64 // databases in which commits wait now

	BlockCacheBytes, BlockCacheHits, BlockCacheMisses int64
}

// Metrics returns what the databases that share r have done. Any goroutine may call it. After Close the numbers stay.
func (r *Resources) Metrics() ResourceMetrics {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed == nil {
		return r.metrics()
	}
	return *r.closed
}

func (r *Resources) metrics() ResourceMetrics {
	cache, e := r.cache.Metrics(), &r.events
	return ResourceMetrics{
		Compactions: e.compactions.Load(), CompactionSeconds: float64(e.compacting.Load()) / 1e9,
		WriteStalls: e.stalls.Load(), Stalled: e.stalled.Load(),
		BlockCacheBytes: cache.Size, BlockCacheHits: cache.Hits, BlockCacheMisses: cache.Misses,
	}
}

// events counts the events that pebble reports for its databases.
type events struct {
	compactions, stalls, stalled atomic.Int64
	compacting                   atomic.Int64 // nanoseconds
}

func (e *events) compacted(info pebble.CompactionInfo) {
	e.compactions.Add(1)
	e.compacting.Add(int64(info.TotalDuration))
}

func (e *events) stallBegins() {
	e.stalls.Add(1)
	e.stalled.Add(1)
}

func (e *events) stallEnds() { e.stalled.Add(-1) }
