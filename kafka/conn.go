package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// A conn is a connection to one broker. It is opened on first use and again after it broke. It sends one request at a
// time: sarama's Broker holds its lock until the answer arrives. So each fetcher, producer and group member has its own
// pool of connections and does not wait for the others.
//
// A request ends with its context: conn closes the socket below sarama, which has no other way to cancel a request.
type conn struct {
	addr string
	conf *sarama.Config // template, copied for each connection
	turn chan struct{}  // holds one token; only its holder may use broker
	life context.Context
	end  context.CancelFunc // called by close

	broker *sarama.Broker // nil while not connected; owned by the holder of the token

	mu     sync.Mutex
	socket net.Conn // below broker, for abort
}

func newConn(addr string, conf *sarama.Config) *conn {
	c := &conn{addr: addr, conf: conf, turn: make(chan struct{}, 1)}
	c.life, c.end = context.WithCancel(context.Background())
	c.turn <- struct{}{}
	return c
}

// ask sends req over c and returns the answer, whose error codes the caller must check. It waits until the connection
// is free, opens it if necessary, and returns no later than ctx ends. If it fails, lost and unanswered classify the
// error.
//
// send is a method of sarama's Broker, as in ask(ctx, c, (*sarama.Broker).Heartbeat, req).
func ask[Req, Res any](ctx context.Context, c *conn, send func(*sarama.Broker, Req) (Res, error), req Req) (Res, error) {
	var none Res
	select {
	case <-c.turn:
	case <-c.life.Done():
		return none, ErrClosed
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	defer func() { c.turn <- struct{}{} }()

	aborted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { c.abort(); close(aborted) })
	res, err := none, c.open(ctx)
	opened := err == nil
	if opened {
		res, err = send(c.broker, req)
	}
	if !stop() {
		<-aborted // otherwise abort could close the socket of the next request
		c.drop()
	}
	if err != nil {
		return none, c.failed(ctx, opened, err)
	}
	return res, nil
}

// codeOf returns the code in an error of sarama's, ErrNoError for none. If a broker explains why it rejects a login,
// sarama's error supports errors.Is for the code, but does not expose it.
func codeOf(err error) (code sarama.KError) {
	if !errors.As(err, &code) && errors.Is(err, sarama.ErrSASLAuthenticationFailed) {
		code = sarama.ErrSASLAuthenticationFailed
	}
	return code
}

// failed converts an error of sarama's to ours. It drops the connection unless the request was never sent.
func (c *conn) failed(ctx context.Context, sent bool, err error) error {
	var unsent sarama.PacketEncodingError
	refused := codeOf(err)
	switch {
	case errors.As(err, &unsent):
		return fmt.Errorf("broker %s: %w", c.addr, err)
	case refused == sarama.ErrUnsupportedVersion:
		return fmt.Errorf("broker %s: %w", c.addr, codeError(refused))
	}
	c.drop()
	var garbled sarama.PacketDecodingError
	switch {
	case c.isClosed():
		err = ErrClosed
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case refused != sarama.ErrNoError:
		return fmt.Errorf("broker %s: %w", c.addr, codeErrorMessage(refused, new(err.Error())))
	case errors.As(err, &garbled), errors.Is(err, sarama.ErrDecompressedBatchTooLarge):
		return fmt.Errorf("broker %s: %w: %w", c.addr, ErrCorrupt, err)
	}
	return &connError{c.addr, sent, err}
}

// open connects unless already connected. The caller holds the token.
func (c *conn) open(ctx context.Context) error {
	if c.broker != nil {
		return nil
	}
	if c.isClosed() {
		return ErrClosed
	}
	conf := *c.conf
	conf.Net.Proxy.Enable = true
	conf.Net.Proxy.Dialer = dialFunc(func(network, addr string) (net.Conn, error) { return c.dial(ctx, network, addr) })
	c.broker = sarama.NewBroker(c.addr)
	if err := c.broker.Open(&conf); err != nil {
		return err
	}
	if ok, err := c.broker.Connected(); !ok {
		return fmt.Errorf("cannot connect: %w", err)
	}
	return nil
}

// dial opens the socket and stores it for abort.
func (c *conn) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	either, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	dialer := net.Dialer{Timeout: c.conf.Net.DialTimeout, KeepAlive: 30 * time.Second}
	socket, err := dialer.DialContext(either, network, addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil || c.life.Err() != nil { // abort has run already, or found nothing to close
		socket.Close()
		return nil, net.ErrClosed
	}
	c.socket = socket
	return socket, nil
}

// dialFunc adapts a function to the dialer interface of sarama's configuration.
type dialFunc func(network, addr string) (net.Conn, error)

func (f dialFunc) Dial(network, addr string) (net.Conn, error) { return f(network, addr) }

// abort closes the socket, so that the request in flight fails. Any goroutine may call it.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket != nil {
		c.socket.Close()
	}
}

// drop closes the connection; the next request opens a new one. The caller holds the token.
func (c *conn) drop() {
	c.abort()
	if c.broker != nil {
		c.broker.Close() // fails only if it is not connected
		c.broker = nil
	}
}

// close ends the request in flight and refuses all later ones.
func (c *conn) close() {
	c.end()
	c.abort()
	<-c.turn
	c.drop()
	c.turn <- struct{}{}
}

func (c *conn) isClosed() bool { return c.life.Err() != nil }

// A pool holds the connections of one owner, one per broker.
type pool struct {
	conf *sarama.Config

	mu     sync.Mutex
	conns  map[string]*conn
	closed bool
}

// get returns the connection to addr. The connection is opened on first use.
func (p *pool) get(addr string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.conns[addr]
	if c == nil {
		c = newConn(addr, p.conf)
		if p.closed {
			c.close()
			return c
		}
		p.conns[addr] = c
	}
	return c
}

// close ends all requests in flight and closes all connections.
func (p *pool) close() {
	p.mu.Lock()
	conns := p.conns
	p.conns, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range conns {
		c.close()
	}
}
