package runner

import "github.com/rio-streams/rio/kafka"

// memory is what the parts of a process may take of Config.Memory, in bytes.
type memory struct {
	rows      int64 // cached rows of all stores
	blocks    int64 // pebble's cache
	memtables int64 // of all databases
	fetched   int   // records that one worker has fetched, half of it in answers and half in the queues of its tasks
	produced  int   // records that one worker has sent and the brokers have not acknowledged, with their requests
	dirty     int   // changed rows, among the cached ones, that make one worker commit early
}

// divide divides total: 3/8 for rows, 3/8 for pebble, 1/8 for fetched records, 1/8 for records on their way to brokers.
func divide(total int64, workers int) memory {
	each := int(total) / 8 / workers
	return memory{
		rows: total * 3 / 8, blocks: total * 3 / 16, memtables: total * 3 / 16,
		fetched: each, produced: each, dirty: within(each, 256<<10, 32<<20),
	}
}

// answers bounds the answers to fetches: two are on their way or waiting on each of two connections, so that they take
// at most half of fetched, if there is one broker. Their partitions are those of the worker.
func (m memory) answers(partitions int) (maxBytes, partitionMaxBytes int) {
	return within(m.fetched/8, 16<<10, 8<<20), within(m.queue(partitions)/2, 16<<10, 1<<20)
}

// queue is how much of one partition may wait before its fetch pauses.
func (m memory) queue(partitions int) int {
	return max(m.fetched/2/max(partitions, 1), 1)
}

// producer sets how much a producer keeps. Requests take twice the size of the batches in them.
func (m memory) producer(cfg *kafka.ProducerConfig) {
	cfg.MaxBufferedBytes = max(m.produced/2, 128<<10)
	cfg.BatchBytes = within(cfg.MaxBufferedBytes/4, 16<<10, 512<<10)
}

func within(n, least, most int) int { return min(max(n, least), most) }

// restoring bounds the answers to fetches of one task that is being restored, when as many as there are databases may be.
func (m memory) restoring(databases int) kafka.FetcherConfig {
	maxBytes := within(m.fetched/max(databases, 1), 64<<10, 8<<20)
	return kafka.FetcherConfig{MaxBytes: maxBytes, PartitionMaxBytes: min(maxBytes, 1<<20)}
}
