package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/buffer"
)

const (
	// maxFrame is the largest request in bytes, Kafka's socket.request.max.bytes.
	maxFrame = 100 << 20

	// maxOtherFrame is the largest request without records. Decoded lists can take many times as much memory as the
	// request.
	maxOtherFrame = 4 << 20

	// headerSize is the size of the fixed part of each request header: key (2), version (2) and correlation id (4).
	headerSize = 8
)

// frame reads the bytes of one request, without its size. It acquires weight bytes of the server's memory for it.
func (c *conn) frame() (frame []byte, weight int64, err error) {
	if err := c.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
		return nil, 0, err
	}
	start, err := c.in.Peek(4)
	if err != nil {
		return nil, 0, asEOF(err)
	}
	size := int(int32(binary.BigEndian.Uint32(start)))
	if size < 0 || size > maxFrame || !c.login.raw && size < headerSize {
		return nil, 0, fmt.Errorf("a request of %d bytes: the client does not speak Kafka, or it speaks TLS on a plain-text port", size)
	}
	if err := c.SetReadDeadline(time.Now().Add(stepTimeout)); err != nil {
		return nil, 0, err
	}
	if err := c.checkSize(size); err != nil {
		return nil, 0, err
	}
	if err := c.acquireMemory(int64(size)); err != nil {
		return nil, 0, io.EOF
	}
	_, _ = c.in.Discard(4)
	if frame, err = c.readFrame(size); err != nil {
		c.releaseMemory(int64(size))
		return nil, 0, err
	}
	c.server.meters.received.Add(int64(4 + size))
	return frame, int64(size), nil
}

// acquireMemory waits until there is memory for a request.
func (c *conn) acquireMemory(size int64) error {
	if err := c.room.Acquire(c.ctx, min(size, maxInFlightBytes)); err != nil {
		return err
	}
	return c.server.memory.Acquire(c.ctx, size) // it fails only when the connection ends
}

// releaseMemory releases what acquireMemory acquired.
func (c *conn) releaseMemory(size int64) {
	c.room.Release(min(size, maxInFlightBytes))
	c.server.memory.Release(size)
}

// checkSize refuses large requests before login, and large requests without records.
func (c *conn) checkSize(size int) error {
	if size <= maxOtherFrame {
		return nil
	}
	start, err := c.in.Peek(4 + 2)
	if err != nil {
		return err
	}
	key := int16(binary.BigEndian.Uint16(start[4:]))
	if key != int16(kmsg.Produce) || !c.login.done() {
		return fmt.Errorf("request %d has %d bytes, but one without records has at most %d", key, size, maxOtherFrame)
	}
	return nil
}

// readFrame reads size bytes. It allocates as the bytes arrive, so that a client that only announces a size takes
// little memory.
func (c *conn) readFrame(size int) ([]byte, error) {
	frame := buffer.Get(size)
	for rest := frame; len(rest) > 0; {
		if err := c.SetReadDeadline(time.Now().Add(stepTimeout)); err != nil {
			return nil, err
		}
		n, err := io.ReadFull(c.in, rest[:min(len(rest), chunk)])
		if err != nil {
			return nil, asEOF(err)
		}
		rest = rest[n:]
	}
	return frame, nil
}

// asEOF turns every error that means the end of the connection into io.EOF.
func asEOF(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

var errHeader = errors.New("the header of a request cannot be read")

// clientID reads the rest of the header: the client id, which is never in the flexible encoding, and, in flexible
// versions, tags.
func clientID(b []byte, flexible bool) (id string, body []byte, err error) {
	r := wireReader{left: b}
	if n := r.stringLength("client id"); n > 0 {
		id = string(r.span("client id", n))
	}
	r.flexible = flexible
	r.tags()
	if r.err != nil {
		return "", nil, errHeader
	}
	return id, r.left, nil
}
