package server

import (
	"encoding/binary"
	"fmt"
	"math"
)

// wireReader reads the types of the protocol from a request, and says what is wrong where. After an error it reads zeros.
type wireReader struct {
	left     []byte
	flexible bool // the version of the request is
	err      error
}

func (r *wireReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.left = nil
}

// span is the next n bytes, not copied.
func (r *wireReader) span(what string, n int64) []byte {
	switch {
	case r.err != nil:
		return nil
	case n < 0:
		r.fail("%s: null", what)
		return nil
	case n > int64(len(r.left)):
		r.fail("%s: %d bytes are claimed, %d are left", what, n, len(r.left))
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

// uvarint reads up to 32 bits.
func (r *wireReader) uvarint(what string) int64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 || n > binary.MaxVarintLen32 || v > math.MaxUint32 {
		r.fail("%s: no number of up to 32 bits, with %d bytes left", what, len(r.left))
		return 0
	}
	r.left = r.left[n:]
	return int64(v)
}

// tags passes over tags, each of at least two bytes, a key and a size.
func (r *wireReader) tags() {
	if !r.flexible {
		return
	}
	n := r.uvarint("tags")
	if n > int64(len(r.left))/2 {
		r.fail("tags: %d are claimed, %d bytes are left", n, len(r.left))
	}
	for i := int64(0); i < n && r.err == nil; i++ {
		r.uvarint("tag")
		r.span("tag", r.uvarint("tag"))
	}
}
