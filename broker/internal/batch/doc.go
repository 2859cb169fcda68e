// Package batch reads, checks and writes record batches, the form in which records travel between Kafka's clients and brokers and lie
// in a log.
//
// A batch (version 2, since Kafka 0.11, https://kafka.apache.org/documentation/#recordbatch) is a header of fixed size and the records
// behind it, all of them compressed together or none. The producer makes it and the broker keeps it as it is: the base offset and the
// leader epoch, which only the broker knows, are the first fields and outside of the CRC. So a broker seldom looks at records. It
// Checks a batch when it comes, sets its base offset, and hands its bytes out again. Only compaction and look-ups by time read
// records, with a Reader, and only compaction and the end of a transaction write any, with a Writer and with Marker.
//
//	h, err := batch.Check(b) // from a produce request
//	batch.SetBaseOffset(b, next)
//	next += int64(h.LastOffsetDelta) + 1
//
// The example of Writer builds a batch and reads it.
//
// Functions may be called from anywhere. A Reader or a Writer belongs to one goroutine; it keeps buffers of the size of its largest
// batches, so those that look at many should share few. No bytes that come from elsewhere cause a panic, or make a Reader take more memory
// than MaxSize; what a frame claims to hold is not believed where that can be avoided.
//
// The message sets of magic 0 and 1 are not read; a broker has to refuse them.
package batch
