package broker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// listener knows its open connections, so that Close can wait until the last is gone, and guards kfake from what it would
// take at its word.
type listener struct {
	net.Listener
	open sync.WaitGroup // the connections, and the accepting itself
	done func()         // accepting has ended
}

func newListener(inner net.Listener) *listener {
	l := &listener{Listener: inner}
	l.open.Add(1)
	l.done = sync.OnceFunc(l.open.Done)
	return l
}

// acceptPause is how long to wait when a connection cannot be accepted, such as for want of file descriptors.
const acceptPause = 50 * time.Millisecond

// Accept fails only when the listener is closed: kfake stops listening at the first error.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		switch {
		case err == nil:
			l.open.Add(1)
			return &conn{Conn: inner, frames: bufio.NewReader(inner), gone: sync.OnceFunc(l.open.Done)}, nil
		case errors.Is(err, net.ErrClosed):
			l.done()
			return nil, err
		}
		time.Sleep(acceptPause)
	}
}

// drain waits until every connection is closed; kfake closes them when it ends.
func (l *listener) drain() { l.open.Wait() }

// conn passes well-formed frames through. kfake has one reader and one writer for each connection.
type conn struct {
	net.Conn
	frames *bufio.Reader
	left   int // bytes of the current frame not yet read
	gone   func()
}

// maxFrame is the largest request in bytes, Kafka's socket.request.max.bytes. A stranger's HTTP request read as a frame
// claims more than a gigabyte, which kfake would allocate.
const maxFrame = 100 << 20

// frameStart is the size (4 bytes), then the request's key (2) and version (2).
const frameStart = 8

func (c *conn) Read(p []byte) (int, error) {
	if c.left == 0 {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	n, err := c.frames.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// nextFrame looks at the start of a frame: an unknown request would make kfake panic.
func (c *conn) nextFrame() error {
	start, err := c.frames.Peek(frameStart)
	if err != nil {
		return err
	}
	size := int(int32(binary.BigEndian.Uint32(start)))
	if size < frameStart-4 || size > maxFrame {
		return fmt.Errorf("broker: %s sent a frame of %d bytes", c.RemoteAddr(), size)
	}
	if key := int16(binary.BigEndian.Uint16(start[4:])); kmsg.RequestForKey(key) == nil {
		return fmt.Errorf("broker: %s sent a request of unknown kind %d", c.RemoteAddr(), key)
	}
	c.left = 4 + size
	return nil
}

func (c *conn) Close() error {
	defer c.gone()
	return c.Conn.Close()
}
