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

// A conn is a connection to one broker, opened when first needed and again after it broke. It carries one request at a
// time: sarama's Broker holds its lock until the answer is there, so whoever must not wait for others (each fetcher,
// producer and group member) has connections of its own, from a pool of its own.
//
// A request under way ends with its context: the socket is closed below sarama, which has no other way to give up.
type conn struct {
	addr string
	conf *sarama.Config // template, copied for each opening
	turn chan struct{}  // holds one token; who has it may use broker
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

// ask sends req over c and returns the answer, whose error codes are still to be looked at. It opens the connection if
// need be and waits for its turn, for the answer, and no longer than ctx. If it fails, lost and unanswered tell how.
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
		<-aborted // or it would hit the socket of the next request
		c.drop()
	}
	if err != nil {
		return none, c.failed(ctx, opened, err)
	}
	return res, nil
}

// codeOf returns the code in an error of sarama's, ErrNoError for none. When a broker explains why it refuses a log-in, sarama lets
// the code be asked for, but not be taken out.
func codeOf(err error) (code sarama.KError) {
	if !errors.As(err, &code) && errors.Is(err, sarama.ErrSASLAuthenticationFailed) {
		code = sarama.ErrSASLAuthenticationFailed
	}
	return code
}

// failed turns an error of sarama's into ours, and drops the connection unless the request was never sent.
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
		return fmt.Errorf("broker %s: %w", c.addr, explained(refused, new(err.Error())))
	case errors.As(err, &garbled), errors.Is(err, sarama.ErrDecompressedBatchTooLarge):
		return fmt.Errorf("broker %s: %w: %w", c.addr, ErrCorrupt, err)
	}
	return &connError{c.addr, sent, err}
}

// open connects unless connected. The caller has the token.
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

// dial opens the socket and notes it for abort.
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
	if ctx.Err() != nil || c.life.Err() != nil { // abort has been here, or has seen nothing to close
		socket.Close()
		return nil, net.ErrClosed
	}
	c.socket = socket
	return socket, nil
}

// dialFunc is a function as the dialer that sarama's configuration takes.
type dialFunc func(network, addr string) (net.Conn, error)

func (f dialFunc) Dial(network, addr string) (net.Conn, error) { return f(network, addr) }

// abort closes the socket, so that a request under way fails. Anyone may call it.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket != nil {
		c.socket.Close()
	}
}

// drop closes the connection; the next request opens a new one. The caller has the token.
func (c *conn) drop() {
	c.abort()
	if c.broker != nil {
		c.broker.Close() // only fails when it is not connected
		c.broker = nil
	}
}

// close ends a request under way and refuses all later ones.
func (c *conn) close() {
	c.end()
	c.abort()
	<-c.turn
	c.drop()
	c.turn <- struct{}{}
}

func (c *conn) isClosed() bool { return c.life.Err() != nil }

// A pool is the connections of one owner, one for each broker it talks to.
type pool struct {
	conf *sarama.Config

	mu     sync.Mutex
	conns  map[string]*conn
	closed bool
}

// get returns the connection to addr, which is opened when it is first used.
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

// close ends all requests under way and closes all connections.
func (p *pool) close() {
	p.mu.Lock()
	conns := p.conns
	p.conns, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range conns {
		c.close()
	}
}
