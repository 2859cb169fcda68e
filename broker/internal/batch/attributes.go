package batch

import "strconv"

// Attributes is the attributes field of a batch:
//
//	bits 0-2  compression of the records
//	bit  3    timestamp type: 0 the producer's (CreateTime), 1 the broker's (LogAppendTime)
//	bit  4    the batch belongs to a transaction
//	bit  5    the batch is written by a coordinator, not by a client (control)
//	bit  6    the base timestamp is the delete horizon (KIP-534)
type Attributes int16

const (
	compressionMask Attributes = 0b111

	LogAppendTime Attributes = 1 << 3
	Transactional Attributes = 1 << 4
	Control       Attributes = 1 << 5
	DeleteHorizon Attributes = 1 << 6
)

// Compression returns how the records are compressed; the value may be unknown.
func (a Attributes) Compression() Compression { return Compression(a & compressionMask) }

// WithCompression returns a with the given compression.
func (a Attributes) WithCompression(c Compression) Attributes {
	return a&^compressionMask | Attributes(c)&compressionMask
}

// LogAppendTime reports whether all records have the time at which the broker received them, the batch's MaxTimestamp.
func (a Attributes) LogAppendTime() bool { return a&LogAppendTime != 0 }

// Transactional reports whether the batch belongs to a transaction.
func (a Attributes) Transactional() bool { return a&Transactional != 0 }

// Control reports whether the batch is a control batch: the end of a transaction, invisible to consumers.
func (a Attributes) Control() bool { return a&Control != 0 }

// DeleteHorizon reports whether BaseTimestamp is the time from which compaction may remove the batch's tombstones and markers.
func (a Attributes) DeleteHorizon() bool { return a&DeleteHorizon != 0 }

// Compression is the compression type of a batch.
type Compression int8

const (
	None Compression = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

var compressionNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// String returns the name that Kafka's compression.type uses.
func (c Compression) String() string {
	if !c.known() {
		return "compression " + strconv.Itoa(int(c))
	}
	return compressionNames[c]
}

func (c Compression) known() bool { return c >= None && c <= Zstd }
