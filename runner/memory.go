package runner

import "github.com/rio-streams/rio/kafka"

// memory divides Config.Memory among the parts of a process, in bytes.
type memory struct {
	rows      int64 // cached rows of all stores
	blocks    int64 // pebble's cache
	memtables int64 // of all databases
	fetched   int   // fetched records of one worker: half in fetch responses, half in the queues of its tasks
	produced  int   // sent and not yet acknowledged records of one worker, with their requests
	dirty     int   // changed cached rows of one worker above which it commits early
}

// divide divides total: 3/8 for rows, 3/8 for pebble, 1/8 for fetched records, 1/8 for unacknowledged records.
func divide(total int64, workers int) memory {
	each := int(total) / 8 / workers
	return memory{
		rows: total * 3 / 8, blocks: total * 3 / 16, memtables: total * 3 / 16,
		fetched: each, produced: each, dirty: within(each, 256<<10, 32<<20),
	}
}

// answers returns the size limits of fetch responses for a worker with so many partitions. Up to four responses are in
// memory, two on each of two connections, so with one broker they take at most half of fetched.
func (m memory) answers(partitions int) (maxBytes, partitionMaxBytes int) {
	return within(m.fetched/8, 16<<10, 8<<20), within(m.queue(partitions)/2, 16<<10, 1<<20)
}

// queue returns how many bytes of one partition may be queued before the partition is paused.
func (m memory) queue(partitions int) int {
	return max(m.fetched/2/max(partitions, 1), 1)
}

// producer sets the memory limits of a producer. A request takes twice the size of the batches in it.
func (m memory) producer(cfg *kafka.ProducerConfig) {
	cfg.MaxBufferedBytes = max(m.produced/2, 128<<10)
	cfg.BatchBytes = within(cfg.MaxBufferedBytes/4, 16<<10, 512<<10)
}

func within(n, least, most int) int { return min(max(n, least), most) }

// restoring returns the size limits of fetch responses for one task that is being restored. All databases may be restored
// at the same time.
func (m memory) restoring(databases int) kafka.FetcherConfig {
	maxBytes := within(m.fetched/max(databases, 1), 64<<10, 8<<20)
	return kafka.FetcherConfig{MaxBytes: maxBytes, PartitionMaxBytes: min(maxBytes, 1<<20)}
}
