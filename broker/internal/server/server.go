package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rio-streams/rio/broker/internal/engine"
	"github.com/rio-streams/rio/broker/internal/sasl"
)

// Config configures a Server.
type Config struct {
	Engine         *engine.Engine
	Logger         *slog.Logger
	TLS            *tls.Config // default: none, plain text
	Users          *sasl.Users // default: none, no login required
	MaxConnections int
	MaxMemory      int64 // bytes of requests that are being read or processed
}

// Server serves connections until it is closed.
type Server struct {
	cfg      Config
	listener net.Listener
	memory   *semaphore.Weighted
	ctx      context.Context // ends with the server
	cancel   context.CancelFunc
	running  sync.WaitGroup

	unsupported  unsupported
	failedLogins failedLogins
	meters       *meters

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

// New returns a server that accepts connections from a listener.
func New(listener net.Listener, cfg Config) *Server {
	s := &Server{cfg: cfg, listener: listener, memory: semaphore.NewWeighted(cfg.MaxMemory), conns: make(map[*conn]struct{}), meters: newMeters()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if cfg.TLS != nil {
		s.listener = tls.NewListener(listener, cfg.TLS)
	}
	s.running.Add(1)
	go s.accept()
	return s
}

// acceptPause is how long to wait after a failed accept, for example for lack of file descriptors.
const acceptPause = 50 * time.Millisecond

func (s *Server) accept() {
	defer s.running.Done()
	for {
		inner, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.cfg.Logger.Warn("broker: cannot accept a connection", "error", err)
			select {
			case <-time.After(acceptPause):
			case <-s.ctx.Done():
				return
			}
		default:
			s.serve(inner)
		}
	}
}

func (s *Server) serve(inner net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.conns) >= s.cfg.MaxConnections {
		if !s.closed {
			s.cfg.Logger.Warn("broker: too many connections, closing a new one", "most", s.cfg.MaxConnections, "client", inner.RemoteAddr())
		}
		_ = inner.Close()
		return
	}
	c := newConn(s, inner)
	s.conns[c] = struct{}{}
	s.running.Add(2)
	go c.read()
	go c.write()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Close closes all connections and waits for their goroutines.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.cancel()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}
