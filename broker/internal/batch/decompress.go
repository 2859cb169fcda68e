package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// decompressor caches the decompression readers.
type decompressor struct {
	source bytes.Reader
	gzip   *gzip.Reader
	lz4    *lz4.Reader
	zstd   *zstd.Decoder
	most   int // the limit that zstd was built for
}

// append decompresses src and appends it to dst, which is empty. More than limit bytes are ErrTooLarge, and are never
// allocated; any other error is ErrMalformed.
func (d *decompressor) append(dst, src []byte, how Compression, limit int) ([]byte, error) {
	switch how {
	case Gzip:
		return d.appendGzip(dst, src, limit)
	case Snappy:
		return appendUnsnappied(dst, src, limit)
	case LZ4:
		return d.appendLZ4(dst, src, limit)
	case Zstd:
		return d.appendZstd(dst, src, limit)
	}
	return dst, fmt.Errorf("%w: unknown compression %v", ErrMalformed, how)
}

func (d *decompressor) appendGzip(dst, src []byte, limit int) ([]byte, error) {
	d.source.Reset(src)
	defer d.source.Reset(nil)
	if d.gzip == nil {
		d.gzip = new(gzip.Reader)
	}
	if err := d.gzip.Reset(&d.source); err != nil {
		return dst, fmt.Errorf("%w: gzip: %w", ErrMalformed, err)
	}
	return appendAll(dst, d.gzip, Gzip, limit)
}

func (d *decompressor) appendLZ4(dst, src []byte, limit int) ([]byte, error) {
	d.source.Reset(src)
	defer d.source.Reset(nil)
	if d.lz4 == nil {
		d.lz4 = lz4.NewReader(nil)
	}
	d.lz4.Reset(&d.source)
	return appendAll(dst, d.lz4, LZ4, limit)
}

// appendAll reads r to its end. The buffer doubles as data arrives: the size that a frame claims is not trusted.
func appendAll(dst []byte, r io.Reader, how Compression, limit int) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(4<<10, min(len(dst), limit-len(dst)+1)))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, fmt.Errorf("%w: %v: more than %d bytes", ErrTooLarge, how, limit)
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, fmt.Errorf("%w: %v: %w", ErrMalformed, how, err)
		}
	}
}

// zstdWindow is the largest window of a frame, however little it holds. The Java client uses 2 MiB at its default
// level.
const zstdWindow = 8 << 20

func (d *decompressor) appendZstd(dst, src []byte, limit int) ([]byte, error) {
	if most := max(limit, zstdWindow); d.zstd == nil || d.most != most {
		// It only fails for options that are out of range.
		d.zstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(most)))
		d.most = most
	}
	out, err := d.zstd.DecodeAll(src, dst)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded), len(out) > limit:
		return dst, fmt.Errorf("%w: zstd: more than %d bytes", ErrTooLarge, limit)
	case err != nil:
		return dst, fmt.Errorf("%w: zstd: %w", ErrMalformed, err)
	}
	return out, nil
}
