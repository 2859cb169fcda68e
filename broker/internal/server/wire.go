package server

import (
	"encoding/binary"
	"fmt"
	"math"
)

// wireReader decodes the types of the protocol. Its error says what is wrong and where. After an error it returns
// zeros.
type wireReader struct {
	left     []byte
	flexible bool // whether the version of the request is flexible
	err      error
}

func (r *wireReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.left = nil
}

// span returns the next n bytes without copying them.
func (r *wireReader) span(what string, n int64) []byte {
	switch {
	case r.err != nil:
		return nil
	case n < 0:
		r.fail("%s: null", what)
		return nil
	case n > int64(len(r.left)):
		r.fail("%s: the request claims %d bytes, but %d are left", what, n, len(r.left))
		return nil
	}
	span := r.left[:n:n]
	r.left = r.left[n:]
	return span
}

// stringLength reads the length of a string, negative for null.
func (r *wireReader) stringLength(what string) int64 {
	if r.flexible {
		return r.uvarint(what) - 1
	}
	return int64(int16(r.uint16(what)))
}

// length reads the length of bytes or of a list, negative for null.
func (r *wireReader) length(what string) int64 {
	if r.flexible {
		return r.uvarint(what) - 1
	}
	return int64(int32(r.uint32(what)))
}

func (r *wireReader) uint16(what string) uint16 {
	if b := r.span(what, 2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *wireReader) uint32(what string) uint32 {
	if b := r.span(what, 4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// uvarint reads a number of up to 32 bits.
func (r *wireReader) uvarint(what string) int64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 || n > binary.MaxVarintLen32 || v > math.MaxUint32 {
		r.fail("%s: not a number of up to 32 bits, with %d bytes left", what, len(r.left))
		return 0
	}
	r.left = r.left[n:]
	return int64(v)
}

// tags skips tags. Each has at least two bytes, a key and a size.
func (r *wireReader) tags() {
	if !r.flexible {
		return
	}
	n := r.uvarint("tags")
	if n > int64(len(r.left))/2 {
		r.fail("tags: the request claims %d, but %d bytes are left", n, len(r.left))
	}
	for i := int64(0); i < n && r.err == nil; i++ {
		r.uvarint("tag")
		r.span("tag", r.uvarint("tag"))
	}
}
