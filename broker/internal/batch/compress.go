package batch

import (
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// compressor caches the compression writers. It writes formats that all clients can read.
type compressor struct {
	gzip *gzip.Writer
	lz4  *lz4.Writer
	zstd *zstd.Encoder
	out  sink
}

// sink is a growing byte slice as an io.Writer. It never returns an error.
type sink []byte

func (s *sink) Write(b []byte) (int, error) {
	*s = append(*s, b...)
	return len(b), nil
}

// append compresses src and appends it to dst.
func (c *compressor) append(dst, src []byte, how Compression) []byte {
	switch how {
	case Gzip:
		return c.appendGzip(dst, src)
	case Snappy:
		return appendSnappy(dst, src)
	case LZ4:
		return c.appendLZ4(dst, src)
	case Zstd:
		return c.appendZstd(dst, src)
	}
	return append(dst, src...)
}

func (c *compressor) appendGzip(dst, src []byte) []byte {
	c.out = dst
	if c.gzip == nil {
		c.gzip = gzip.NewWriter(nil)
	}
	c.gzip.Reset(&c.out)
	_, _ = c.gzip.Write(src)
	_ = c.gzip.Close()
	return c.out
}

// appendLZ4 writes the same frame as the Java client: independent blocks of 64 KiB, for which the Java consumer
// allocates buffers, and no checksum of the content, because the batch has one.
func (c *compressor) appendLZ4(dst, src []byte) []byte {
	c.out = dst
	if c.lz4 == nil {
		c.lz4 = lz4.NewWriter(nil)
		_ = c.lz4.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false), lz4.ConcurrencyOption(1))
	}
	c.lz4.Reset(&c.out)
	_, _ = c.lz4.Write(src)
	_ = c.lz4.Close()
	return c.out
}

// appendZstd uses a small window: readers allocate it, and few batches are larger.
func (c *compressor) appendZstd(dst, src []byte) []byte {
	if c.zstd == nil {
		// It only fails for options that are out of range.
		c.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	}
	return c.zstd.EncodeAll(src, dst)
}
