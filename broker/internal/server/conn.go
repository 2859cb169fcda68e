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
	// maxInFlight bounds the requests of a connection that are processed at once.
	maxInFlight = 64

	// maxInFlightBytes bounds their total size; a single request may be larger.
	maxInFlightBytes = 8 << 20

	// maxUnsentFetches bounds the fetch responses of a connection that are in memory at once: one being sent, and the
	// next.
	maxUnsentFetches = 2

	// idleTimeout is how long a connection may be idle, Kafka's connections.max.idle.ms.
	idleTimeout = 10 * time.Minute

	// stepTimeout bounds how long reading or writing one chunk may take.
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
	answers chan *answer // in request order
	ctx     context.Context
	cancel  context.CancelFunc
	once    sync.Once
	room    *semaphore.Weighted // for requests in flight, in bytes
	fetches chan struct{}       // one token per fetch response that was not sent yet
}

// answer is a pending response.
type answer struct {
	correlation int32
	flexible    bool          // whether the header is flexible
	raw         bool          // no header: a token of the old login protocol
	ready       chan struct{} // closed when response is set
	response    kmsg.Response // nil: close the connection
	token       []byte
	fetch       bool  // a fetch response: it borrows memory, and is ready soon after the connection has ended
	weight      int64 // size of the request, in bytes
}

func newConn(s *Server, inner net.Conn) *conn {
	c := &conn{
		server: s, Conn: inner, in: bufio.NewReaderSize(inner, 16<<10), answers: make(chan *answer, maxInFlight),
		room: semaphore.NewWeighted(maxInFlightBytes), fetches: make(chan struct{}, maxUnsentFetches),
	}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	host, _, _ := net.SplitHostPort(inner.RemoteAddr().String())
	c.client.Host = "/" + host // in the format of Kafka
	c.login.users = s.cfg.Users
	c.login.failed = func(err error) { s.failedLogins.note(s.cfg.Logger, c.RemoteAddr(), err) }
	return c
}

func (c *conn) close() {
	c.once.Do(func() {
		c.cancel()
		_ = c.Conn.Close()
	})
}

// read reads requests until the connection ends.
func (c *conn) read() {
	defer c.server.running.Done()
	defer close(c.answers)
	defer c.server.cfg.Engine.Forget(&c.client)
	defer c.close() // requests that wait for others need no response any more
	for {
		if err := c.next(); err != nil {
			var unsupported *unsupportedError
			if errors.As(err, &unsupported) {
				c.server.unsupported.warn(c, unsupported)
			} else if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && c.ctx.Err() == nil {
				c.server.cfg.Logger.Info("broker: connection closed", "client", c.RemoteAddr(), "error", err)
			}
			return
		}
	}
}

// next reads one request and dispatches it.
func (c *conn) next() error {
	frame, weight, err := c.frame()
	if err != nil {
		return err
	}
	a := &answer{ready: make(chan struct{}), weight: weight}
	req, err := c.parse(frame, a)
	if err == nil {
		err = c.queue(a)
	}
	if err != nil {
		c.releaseMemory(weight)
		return err
	}
	if req != nil {
		c.dispatch(req, frame, a)
	}
	return nil
}

// parse decodes a request. A token of the old login protocol is not a request: it is answered at once, and req is nil.
func (c *conn) parse(frame []byte, a *answer) (req kmsg.Request, err error) {
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

// queue adds an answer to those to be sent.
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

// dispatch passes a request to the engine or to the login, and then releases the frame.
func (c *conn) dispatch(r kmsg.Request, frame []byte, a *answer) {
	_, produces := r.(*kmsg.ProduceRequest)
	key, began := r.Key(), time.Now()
	reply := func(res kmsg.Response) {
		c.server.meters.answered(key, began)
		a.response = res
		close(a.ready)
		if produces { // the engine may keep parts of other requests
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
			c.login.failed(errNoLogin)
			reply(nil)
			return
		}
		c.server.cfg.Engine.Handle(c.ctx, &c.client, r, reply)
	}
}

// decode decodes the header and the body of a request.
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
		return req, nil // of an unsupported version; the answer lists the supported ones
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

// write sends responses, in the order of the requests, until the connection ends.
func (c *conn) write() {
	defer c.server.running.Done()
	defer c.server.forget(c)
	alive := true
	for a := range c.answers {
		select {
		case <-a.ready:
		case <-c.ctx.Done():
			alive = false // later answers are still received, but not sent
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
		c.releaseMemory(a.weight)
	}
	c.close()
}
