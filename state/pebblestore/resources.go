package pebblestore

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// Limits bound the memory and the open files of all databases of a process. A zero field means its default.
type Limits struct {
	Cache     int64 // bytes of blocks kept in memory; default 64 MiB
	Memtables int64 // bytes of commits not yet in tables; default 64 MiB
	Databases int   // how many databases are open at once; default 32
	Files     int   // how many tables are open at once; default 1024
}

// Resources are shared by the databases of a process. Make them once, with NewResources.
type Resources struct {
	cache    *pebble.Cache
	files    *pebble.FileCache
	memtable uint64
	events   events

	mu     sync.Mutex
	closed *ResourceMetrics // set by Close
}

const (
	smallestMemtable = 256 << 10
	largestMemtable  = 16 << 20
)

// NewResources returns resources within limits. Each database may use two memtables of up to
//
//	Memtables / Databases / 2, at least 256 KiB and at most 16 MiB
//
// A memtable starts with 256 KiB and doubles each time it is full. Memtables use memory of the cache.
func NewResources(limits Limits) *Resources {
	if limits.Cache == 0 {
		limits.Cache = 64 << 20
	}
	if limits.Memtables == 0 {
		limits.Memtables = 64 << 20
	}
	if limits.Databases == 0 {
		limits.Databases = 32
	}
	if limits.Files == 0 {
		limits.Files = 1024
	}
	memtable := limits.Memtables / int64(limits.Databases) / 2
	return &Resources{
		cache:    pebble.NewCache(limits.Cache + limits.Memtables),
		files:    pebble.NewFileCache(4, limits.Files),
		memtable: uint64(min(max(memtable, smallestMemtable), largestMemtable)),
	}
}

// Close releases the resources once the last database that uses them is closed. It may be called before.
func (r *Resources) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.metrics()
	r.closed = &last
	r.files.Unref()
	r.cache.Unref()
}
