package batch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
)

// Snappy compresses blocks, not streams. Java clients write blocks of 32 KiB in a frame of the snappy-java library
// (xerial); some other clients write a single block of any size without a frame. All clients can read the frame, so
// that is what this package writes:
//
//	magic    8 bytes  82 "SNAPPY" 00
//	version  int32    1
//	lowest   int32    1, the lowest version that can read it
//	blocks, each an int32 length and as many bytes
var xerialMagic = []byte("\x82SNAPPY\x00")

const (
	xerialHeader = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
	xerialBlock  = 32 << 10
)

func appendSnappy(dst, src []byte) []byte {
	dst = append(dst, xerialHeader...)
	for len(src) > 0 {
		n := min(len(src), xerialBlock)
		dst = slices.Grow(dst, 4+s2.MaxEncodedLen(n))
		from := len(dst) + 4
		block := s2.EncodeSnappy(dst[from:cap(dst)], src[:n])
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(block)))[:from+len(block)]
		src = src[n:]
	}
	return dst
}

// appendUnsnappied decompresses src and appends it to dst, up to limit bytes.
func appendUnsnappied(dst, src []byte, limit int) ([]byte, error) {
	if !bytes.HasPrefix(src, xerialMagic) {
		return appendBlock(dst, src, limit)
	}
	if len(src) < len(xerialHeader) {
		return dst, fmt.Errorf("%w: snappy: %d bytes are too few for a header", ErrMalformed, len(src))
	}
	for src = src[len(xerialHeader):]; len(src) > 0; {
		if len(src) < 4 {
			return dst, fmt.Errorf("%w: snappy: %d bytes after the last block", ErrMalformed, len(src))
		}
		n := int64(binary.BigEndian.Uint32(src))
		src = src[4:]
		if n > int64(len(src)) {
			return dst, fmt.Errorf("%w: snappy: block of %d bytes in %d", ErrMalformed, n, len(src))
		}
		var err error
		if dst, err = appendBlock(dst, src[:n], limit); err != nil {
			return dst, err
		}
		src = src[n:]
	}
	return dst, nil
}

// snappyRatio is above the highest compression ratio of a block: a copy of at most 64 bytes takes 3. A block that
// claims more is not worth allocating memory for.
const snappyRatio = 32

func appendBlock(dst, block []byte, limit int) ([]byte, error) {
	n, err := s2.DecodedLen(block)
	switch {
	case err != nil:
		return dst, fmt.Errorf("%w: %w", ErrMalformed, err)
	case n/snappyRatio > len(block):
		return dst, fmt.Errorf("%w: snappy: %d bytes cannot hold %d", ErrMalformed, len(block), n)
	case n > limit-len(dst):
		return dst, fmt.Errorf("%w: snappy: more than %d bytes", ErrTooLarge, limit)
	}
	dst = slices.Grow(dst, n)
	if _, err := s2.Decode(dst[len(dst):len(dst)+n], block); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return dst[:len(dst)+n], nil
}
