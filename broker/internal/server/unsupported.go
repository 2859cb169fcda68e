package server

import (
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/engine"
)

// request is a kind of request in a version.
type request struct{ key, version int16 }

// unsupportedError: the broker does not know a request. Its client is disconnected, as Kafka does it, because it could not read
// an answer.
type unsupportedError struct {
	request
	clientID string
}

func (e *unsupportedError) Error() string {
	return fmt.Sprintf("request %d in version %d is not supported", e.key, e.version)
}

// name is what the protocol calls the request.
func (r request) name() string {
	if kmsg.RequestForKey(r.key) == nil {
		return fmt.Sprint("request ", r.key)
	}
	return kmsg.NameForKey(r.key)
}

// known says which versions of the request are answered.
func (r request) known() string {
	oldest, newest, ok := engine.Versions(r.key)
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%d to %d", oldest, newest)
}

// unsupported warns of requests that the broker does not know. Many clients say nothing when they are disconnected, and connect
// again at once, for ever.
type unsupported struct {
	mu     sync.Mutex
	warned map[request]time.Time
}

const (
	// warnInterval is how often the same request is warned of.
	warnInterval = time.Minute

	// maxWarned is how many requests are warned of in an interval, so that noise does not fill the log.
	maxWarned = 100

	// maxClientID is how many characters of a client's name are logged.
	maxClientID = 60
)

// due reports whether to warn of a request now.
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

// warn says who is disconnected for which request, and what helps.
func (u *unsupported) warn(c *conn, e *unsupportedError) {
	if !u.due(e.request, time.Now()) {
		return
	}
	c.server.cfg.Logger.Warn("broker: a client is disconnected because it sent a request that this broker does not know; "+
		"if it is configured for a version of Kafka, let it ask the broker instead, or choose 4.4 or older",
		"request", e.name(), "version", e.version, "known versions", e.known(),
		"client id", fmt.Sprintf("%.*s", maxClientID, e.clientID), "client", c.RemoteAddr())
}
