// Package batch reads, checks and writes record batches, the format of records on the wire and in the log.
//
// A batch (version 2, since Kafka 0.11, https://kafka.apache.org/documentation/#recordbatch) is a header of fixed size
// followed by the records, either all compressed together or not at all. The producer builds it and the broker stores
// it unchanged: the base offset and the leader epoch, which only the broker knows, are the first fields and not covered
// by the CRC. So a broker rarely decodes records. It calls Check when a batch arrives, sets its base offset, and serves
// its bytes. Only compaction and lookups by time read records, with a Reader, and only compaction and the end of a
// transaction write any, with a Writer and with Marker.
//
//	h, err := batch.Check(b) // from a produce request
//	batch.SetBaseOffset(b, next)
//	next += int64(h.LastOffsetDelta) + 1
//
// The example of Writer builds a batch and reads it.
//
// Functions may be called from any goroutine. A Reader or a Writer belongs to one goroutine; it keeps buffers of the
// size of its largest batches, so share few of them. Malformed input never causes a panic, and never makes a Reader use
// more memory than MaxSize.
//
// The package does not read the message sets of magic 0 and 1; a broker has to refuse them.
package batch
