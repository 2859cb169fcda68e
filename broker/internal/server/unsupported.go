package server

import (
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/engine"
)

// request is a request type in a version.
type request struct{ key, version int16 }

// unsupportedError means that the broker does not support a request. The client is disconnected, as Kafka does, because
// it could not decode an answer.
type unsupportedError struct {
	request
	clientID string
}

func (e *unsupportedError) Error() string {
	return fmt.Sprintf("request %d in version %d is not supported", e.key, e.version)
}

// name returns the protocol's name of the request.
func (r request) name() string {
	if kmsg.RequestForKey(r.key) == nil {
		return fmt.Sprint("request ", r.key)
	}
	return kmsg.NameForKey(r.key)
}

// versions says which versions of the request are supported.
func (r request) versions() string {
	oldest, newest, ok := engine.Versions(r.key)
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%d to %d", oldest, newest)
}

// unsupported logs requests that the broker does not support. Many clients do not report the disconnect, and reconnect
// forever.
type unsupported struct {
	mu     sync.Mutex
	warned map[request]time.Time
}

const (
	// warnInterval is how often the same request is logged.
	warnInterval = time.Minute

	// maxWarned bounds how many requests are logged per interval, so that they do not flood the log.
	maxWarned = 100

	// maxClientID bounds how many characters of a client id are logged.
	maxClientID = 60
)

// due reports whether to log a request now.
func (u *unsupported) due(r request, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for old, at := range u.warned {
		if now.Sub(at) >= warnInterval {
			delete(u.warned, old)
		}
	}
	if _, recently := u.warned[r]; recently || len(u.warned) >= maxWarned {
		return false
	}
	if u.warned == nil {
		u.warned = make(map[request]time.Time)
	}
	u.warned[r] = now
	return true
}

// warn logs which client is disconnected for which request, and how to fix it.
func (u *unsupported) warn(c *conn, e *unsupportedError) {
	if !u.due(e.request, time.Now()) {
		return
	}
	c.server.cfg.Logger.Warn("broker: disconnecting a client that sent an unsupported request; "+
		"if it is configured for a version of Kafka, let it ask the broker instead, or choose 4.4 or older",
		"request", e.name(), "version", e.version, "supported versions", e.versions(),
		"client id", fmt.Sprintf("%.*s", maxClientID, e.clientID), "client", c.RemoteAddr())
}
