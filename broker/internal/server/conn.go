package server

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/semaphore"

	"github.com/rio-streams/rio/broker/internal/buffer"
	"github.com/rio-streams/rio/broker/internal/engine"
)

const (
	// underWay is how many requests of a connection are worked on at once.
	underWay = 64

	// underWayBytes is how large they are together; one may be larger.
	underWayBytes = 8 << 20

	// unsentFetches is how many answers to fetches of a connection are in memory at once: one on its way, and the next.
	unsentFetches = 2

	// idleTimeout is how long a connection may say nothing, Kafka's connections.max.idle.ms.
	idleTimeout = 10 * time.Minute

	// stepTimeout is how long a step of chunk bytes may take to come or go.
	stepTimeout = 30 * time.Second

	chunk = 1 << 20
)

// conn is one connection.
type conn struct {
	server *Server
	net.Conn
	in      *bufio.Reader
	client  engine.Client
	login   login
	answers chan *answer // in the order of the requests
	ctx     context.Context
	cancel  context.CancelFunc
	once    sync.Once
	room    *semaphore.Weighted // for requests under way, in bytes
	fetches chan struct{}       // one for each answer to a fetch that was not sent yet
}

// answer is a response that is due.
type answer struct {
	correlation int32
	flexible    bool          // of the header
	raw         bool          // no header: a token of the old login
	ready       chan struct{} // closed when response is there
	response    kmsg.Response // nil: close the connection
	token       []byte
	fetch       bool  // of a fetch: it has borrowed memory, and is ready soon after the connection has ended
	weight      int64 // of the request, in bytes
}

func newConn(s *Server, inner net.Conn) *conn {
	c := &conn{
		server: s, Conn: inner, in: bufio.NewReaderSize(inner, 16<<10), answers: make(chan *answer, underWay),
		room: semaphore.NewWeighted(underWayBytes), fetches: make(chan struct{}, unsentFetches),
	}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	host, _, _ := net.SplitHostPort(inner.RemoteAddr().String())
	c.client.Host = "/" + host // as Kafka shows it
	c.login.users = s.cfg.Users
	return c
}

func (c *conn) close() {
	c.once.Do(func() {
		c.cancel()
		_ = c.Conn.Close()
	})
}

// read takes requests until the connection ends.
func (c *conn) read() {
	defer c.server.running.Done()
	defer close(c.answers)
	defer c.server.cfg.Engine.Forget(&c.client)
	defer c.close() // what waits for others need not be answered any more
	for {
		if err := c.next(); err != nil {
			var unsupported *unsupportedError
			if errors.As(err, &unsupported) {
				c.server.unsupported.warn(c, unsupported)
			} else if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && c.ctx.Err() == nil {
				c.server.cfg.Logger.Info("broker: a connection is closed", "client", c.RemoteAddr(), "error", err)
			}
			return
		}
	}
}

// next reads one request and hands it on.
func (c *conn) next() error {
	frame, weight, err := c.frame()
	if err != nil {
		return err
	}
	a := &answer{ready: make(chan struct{}), weight: weight}
	req, err := c.understand(frame, a)
	if err == nil {
		err = c.queue(a)
	}
	if err != nil {
		c.giveRoom(weight)
		return err
	}
	if req != nil {
		c.dispatch(req, frame, a)
	}
	return nil
}

// understand reads a request. A token of the old login is none, and is answered at once.
func (c *conn) understand(frame []byte, a *answer) (req kmsg.Request, err error) {
	if !c.login.raw {
		return c.decode(frame, a)
	}
	if a.token, err = c.login.step(frame); err != nil {
		return nil, err
	}
	a.raw = true
	close(a.ready)
	return nil, nil
}

// queue has an answer sent after those before it.
func (c *conn) queue(a *answer) error {
	if a.fetch {
		select {
		case c.fetches <- struct{}{}:
		case <-c.ctx.Done():
			return net.ErrClosed
		}
	}
	select {
	case c.answers <- a:
		return nil
	case <-c.ctx.Done():
		return net.ErrClosed
	}
}

// dispatch has the request in a frame answered.
func (c *conn) dispatch(r kmsg.Request, frame []byte, a *answer) {
	_, produces := r.(*kmsg.ProduceRequest)
	key, began := r.Key(), time.Now()
	reply := func(res kmsg.Response) {
		c.server.meters.answered(key, began)
		a.response = res
		close(a.ready)
		if produces { // of others, the engine may keep parts
			buffer.Put(frame)
		}
	}
	switch req := r.(type) {
	case *kmsg.ApiVersionsRequest:
		reply(c.server.cfg.Engine.APIVersions(req, !engine.Supports(req.Key(), req.Version)))
	case *kmsg.SASLHandshakeRequest:
		reply(c.login.handshake(req))
	case *kmsg.SASLAuthenticateRequest:
		reply(c.login.authenticate(req))
	default:
		if !c.login.done() {
			reply(nil)
			return
		}
		c.server.cfg.Engine.Handle(c.ctx, &c.client, r, reply)
	}
}

// decode reads the header of a request, and the request.
func (c *conn) decode(frame []byte, a *answer) (kmsg.Request, error) {
	key := int16(binary.BigEndian.Uint16(frame))
	version := int16(binary.BigEndian.Uint16(frame[2:]))
	a.correlation = int32(binary.BigEndian.Uint32(frame[4:]))
	isVersions := key == int16(kmsg.ApiVersions)
	if !engine.Supports(key, version) && !isVersions {
		id, _, _ := clientID(frame[headerSize:], false) // the first field in all versions
		return nil, &unsupportedError{request{key, version}, id}
	}
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	if !engine.Supports(key, version) {
		return req, nil // of a version that nobody knows; the answer says which there are
	}
	id, body, err := clientID(frame[headerSize:], req.IsFlexible())
	if err != nil {
		return nil, err
	}
	c.client.ID = id
	if err := readRequest(req, body); err != nil {
		return nil, fmt.Errorf("%s in version %d cannot be read: %w", kmsg.NameForKey(key), version, err)
	}
	a.flexible = req.IsFlexible() && !isVersions
	_, a.fetch = req.(*kmsg.FetchRequest)
	return req, nil
}

// write sends responses until the connection ends.
func (c *conn) write() {
	defer c.server.running.Done()
	defer c.server.forget(c)
	alive := true
	for a := range c.answers {
		select {
		case <-a.ready:
		case <-c.ctx.Done():
			alive = false // whoever works on it still may answer, and nobody hears it
			if a.fetch {
				<-a.ready
			}
		}
		if alive {
			if err := c.send(a); err != nil {
				alive = false
				c.close()
			}
		}
		if a.fetch {
			release(a.response)
			<-c.fetches
		}
		c.giveRoom(a.weight)
	}
	c.close()
}
