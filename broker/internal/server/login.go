package server

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/sasl"
)

// login is the state of the SASL login of a connection.
type login struct {
	users    *sasl.Users // nil if no login is required
	exchange *sasl.Exchange
	in       bool
	raw      bool // tokens arrive without a request around them, after SaslHandshake v0
	failed   func(error)
}

// done reports whether the connection may send any kind of request.
func (l *login) done() bool { return l.users == nil || l.in }

func (l *login) handshake(req *kmsg.SASLHandshakeRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
	if l.users == nil || l.in || l.exchange != nil {
		res.ErrorCode = kerr.IllegalSaslState.Code
		return res
	}
	res.SupportedMechanisms = sasl.Mechanisms()
	exchange, err := l.users.Begin(req.Mechanism)
	if err != nil {
		res.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		l.failed(err)
		return res
	}
	l.exchange, l.raw = exchange, req.Version == 0
	return res
}

func (l *login) authenticate(req *kmsg.SASLAuthenticateRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
	res.SASLAuthBytes = []byte{}
	if l.users == nil || l.exchange == nil {
		res.ErrorCode = kerr.IllegalSaslState.Code
		return res
	}
	answer, err := l.step(req.SASLAuthBytes)
	if err != nil {
		words := "Authentication failed: " + strings.TrimPrefix(err.Error(), "sasl: ")
		res.ErrorCode, res.ErrorMessage = kerr.SaslAuthenticationFailed.Code, &words
		return res
	}
	if answer != nil {
		res.SASLAuthBytes = answer
	}
	return res
}

var (
	errLogin   = errors.New("login failed")
	errNoLogin = errors.New("the client sent a request without a login")
)

// step passes a token to the login and returns the response.
func (l *login) step(token []byte) ([]byte, error) {
	if l.exchange == nil {
		return nil, errLogin
	}
	answer, done, err := l.exchange.Step(token)
	if err != nil {
		l.exchange = nil
		l.failed(err)
		return nil, err
	}
	if done {
		l.in, l.raw, l.exchange = true, false, nil
	}
	return answer, nil
}

// failedLogins counts and logs failed logins. It logs at most one per minute, so that a client that keeps trying does
// not flood the log.
type failedLogins struct {
	count atomic.Int64

	mu   sync.Mutex
	last time.Time // time of the last log message
}

// note counts a failed login of a client, and logs it if a message is due.
func (f *failedLogins) note(log *slog.Logger, client net.Addr, err error) {
	count := f.count.Add(1)
	f.mu.Lock()
	due := f.last.IsZero() || time.Since(f.last) >= warnInterval
	if due {
		f.last = time.Now()
	}
	f.mu.Unlock()
	if due {
		log.Warn("broker: login failed", "client", client, "error", err, "failed logins since the start", count)
	}
}
