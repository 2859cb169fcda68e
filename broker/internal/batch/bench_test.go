package batch_test

import (
	"fmt"
	"testing"

	"github.com/rio-streams/rio/broker/internal/batch"
)

// BenchmarkCheck measures the checks of every produced batch: the CRC, and the framing of each record.
func BenchmarkCheck(b *testing.B) {
	for _, size := range []int{10, 120, 1000} {
		b.Run(fmt.Sprintf("values of %d bytes", size), func(b *testing.B) {
			const records = 500
			var w batch.Writer
			w.Reset(batch.Header{ProducerID: -1})
			for i := range int64(records) {
				w.Append(i, 1_700_000_000_000+i, []byte("key-0001"), make([]byte, size), nil)
			}
			encoded := w.Finish(records - 1)
			b.SetBytes(int64(len(encoded)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := batch.Check(encoded); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
		})
	}
}

// BenchmarkReader measures the cost per record of compaction and lookups by time.
func BenchmarkReader(b *testing.B) {
	for how := batch.None; how <= batch.Zstd; how++ {
		b.Run(how.String(), func(b *testing.B) {
			const records = 500
			var w batch.Writer
			w.Reset(batch.Header{ProducerID: -1, Attributes: batch.Attributes(how)})
			for i := range int64(records) {
				w.Append(i, 1_700_000_000_000+i, fmt.Appendf(nil, "key-%04d", i), fmt.Appendf(nil, "a value, of which there are many: %060d", i), nil)
			}
			encoded := w.Finish(records - 1)
			b.ReportAllocs()
			var r batch.Reader
			for b.Loop() {
				if _, err := r.Reset(encoded); err != nil {
					b.Fatal(err)
				}
				for range records {
					if _, err := r.Next(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
		})
	}
}
