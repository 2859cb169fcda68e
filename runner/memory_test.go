package runner

import (
	"testing"

	"github.com/rio-streams/rio/kafka"
)

// TestMemoryIsDivided: the parts do not exceed the total, and no part is too small to be usable.
func TestMemoryIsDivided(t *testing.T) {
	for _, total := range []int64{1, 1 << 20, 64 << 20, 256 << 20, 16 << 30} {
		for _, workers := range []int{1, 2, 64} {
			m := divide(total, workers)
			if sum := m.rows + m.blocks + m.memtables + int64(workers*(m.fetched+m.produced)); sum > total {
				t.Errorf("%d bytes and %d workers: the parts are %d", total, workers, sum)
			}
			for _, partitions := range []int{0, 1, 1000} {
				maxBytes, partitionMaxBytes := m.answers(partitions)
				if maxBytes < 1<<10 || partitionMaxBytes < 1<<10 || m.queue(partitions) < 1 || m.dirty < 1<<10 {
					t.Errorf("%d bytes, %d workers, %d partitions: answers of %d and %d, queues of %d, %d of changes",
						total, workers, partitions, maxBytes, partitionMaxBytes, m.queue(partitions), m.dirty)
				}
			}
			var p kafka.ProducerConfig
			m.producer(&p)
			if p.BatchBytes < 1<<10 || p.MaxBufferedBytes < 2*p.BatchBytes {
				t.Errorf("%d bytes, %d workers: producer %+v", total, workers, p)
			}
		}
	}
}
