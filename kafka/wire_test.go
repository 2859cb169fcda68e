package kafka

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A wire is the network between a client and a fake cluster. It can lose responses after the broker has handled the
// requests, or deliver no more responses.
type wire struct {
	mu     sync.Mutex
	lose   map[int16]int  // number of responses to lose, by API key
	silent map[int16]bool // kinds of responses that are not delivered, by API key
	lost   int
}

// wiredCluster returns a fake cluster behind a wire.
func wiredCluster(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, *wire) {
	w := &wire{lose: make(map[int16]int), silent: make(map[int16]bool)}
	listen := func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		return &wiredListener{l, w}, err
	}
	return fakeCluster(t, append(opts, kfake.ListenFn(listen))...), w
}

// loseAnswers closes the connection instead of delivering the next n responses to requests of the given kind.
func (w *wire) loseAnswers(key kmsg.Key, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose[key.Int16()] = n
}

// keepSilent delivers no more responses to requests of the given kind, but keeps the connections open.
func (w *wire) keepSilent(key kmsg.Key, silent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent[key.Int16()] = silent
}

type wiredListener struct {
	net.Listener
	w *wire
}

func (l *wiredListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wiredConn{Conn: c, w: l.w}, nil
}

// A wiredConn is the broker's end of a connection. It parses the size (int32) and the API key (int16) of each request,
// to know the kind of each response.
type wiredConn struct {
	net.Conn
	w       *wire
	mu      sync.Mutex
	head    []byte  // header of the current request
	skip    int     // bytes of the current request still to read
	pending []int16 // API keys of requests without a response so far
}

func (c *wiredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	for rest := p[:n]; len(rest) > 0; {
		if c.skip > 0 {
			k := min(c.skip, len(rest))
			c.skip -= k
			rest = rest[k:]
			continue
		}
		c.head = append(c.head, rest[0])
		rest = rest[1:]
		if len(c.head) == 6 {
			c.skip = int(binary.BigEndian.Uint32(c.head)) - 2
			c.pending = append(c.pending, int16(binary.BigEndian.Uint16(c.head[4:])))
			c.head = c.head[:0]
		}
	}
	return n, err
}

func (c *wiredConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	key := c.pending[0]
	c.pending = slices.Delete(c.pending, 0, 1)
	c.mu.Unlock()

	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.w.silent[key] {
		return len(p), nil
	}
	if c.w.lose[key] > 0 {
		c.w.lose[key]--
		c.w.lost++
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}
