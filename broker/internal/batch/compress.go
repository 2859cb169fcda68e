package batch

import (
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// compressor keeps what compresses, so that it is built once. It writes what all clients read.
type compressor struct {
	gzip *gzip.Writer
	lz4  *lz4.Writer
	zstd *zstd.Encoder
	out  sink
}

// sink grows with what is written to it. It returns no errors, so those who write to it need not look.
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

// appendLZ4 writes the frame that Java's client writes: independent blocks of 64 KiB, which is what its consumers make room for, and no
// checksum of the content, because the batch has one.
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

// appendZstd keeps the window small: readers make room for it, and a batch seldom is larger.
func (c *compressor) appendZstd(dst, src []byte) []byte {
	if c.zstd == nil {
		// Only options that are out of range fail.
		c.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	}
	return c.zstd.EncodeAll(src, dst)
}
