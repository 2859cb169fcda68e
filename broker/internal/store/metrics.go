package store

import "github.com/rio-streams/rio/metrics"

// Collect emits what the store measures. The store must be open.
func (db *DB) Collect(emit func(metrics.Sample)) {
	emit(metrics.BrokerLogBytes.Of(float64(db.pebble.Metrics().DiskSpaceUsage())))
	emit(metrics.BrokerSync.OfHistogram(db.disk.syncs))
	if _, free, ok := db.Room(); ok {
		emit(metrics.BrokerDiskFree.Of(float64(free)))
	}
}
