package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// A Client is connected to a cluster and caches its metadata: the brokers, the leader of each partition, and the
// coordinator of each group. It is safe for use by several goroutines. Fetchers, producers and group members made from
// it have connections of their own, and must be closed before it.
type Client struct {
	cfg    Config
	conf   *sarama.Config
	shared *pool // for short requests: metadata, offsets, admin
	meta   metadata

	mu     sync.Mutex
	pools  map[*pool]struct{}
	closed bool
}

// Dial connects to the first of cfg.Brokers that answers, retries until cfg.DialTimeout has passed, and loads the
// metadata of the cluster. It fails with ErrNoBroker if no broker answers, and at once if cfg is invalid or the cluster
// rejects user and password.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("kafka: dial: %w", err)
	}
	c := &Client{cfg: cfg, conf: cfg.sarama(), pools: make(map[*pool]struct{})}
	c.meta.init()
	c.shared = c.newPool(0)

	dialCtx, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	var last error // from an attempt that was not cut short
	err := c.retry(dialCtx, func() error {
		err := c.refresh(dialCtx)
		if dialCtx.Err() == nil || last == nil {
			last = err
		}
		return err
	})
	if err == nil {
		return c, nil
	}
	c.Close()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("kafka: dial %s: %w", strings.Join(cfg.Brokers, ", "), context.Cause(ctx))
	}
	return nil, dialError(cfg, last)
}

// dialError adds a hint how to fix err.
func dialError(cfg Config, err error) error {
	var hint string
	switch {
	case errors.Is(err, ErrAuthentication):
		hint = "; check the SASL mechanism, user and password"
	case errors.Is(err, ErrNoBroker):
		hint = "; is the broker running, is this its address, does it speak plain TCP there, not TLS, and does it ask for no SASL?"
		if cfg.TLS != nil {
			hint = strings.Replace(hint, "plain TCP there, not TLS", "TLS there", 1)
		}
		if cfg.SASL.Mechanism != "" {
			hint = strings.Replace(hint, "does it ask for no SASL", "does it know user and password of SASL "+cfg.SASL.Mechanism, 1)
		}
	}
	return fmt.Errorf("kafka: dial %s: %w%s", strings.Join(cfg.Brokers, ", "), err, hint)
}

// Close closes all connections of the client and of the fetchers, producers and group members made from it; their calls
// then fail with ErrClosed.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	pools := c.pools
	c.pools = nil
	c.mu.Unlock()
	for p := range pools {
		p.close()
	}
	return nil
}

// newPool returns connections for one owner. Requests over them may take extra longer than Config.RequestTimeout,
// because the broker is asked to wait. The owner calls closePool.
func (c *Client) newPool(extra time.Duration) *pool {
	conf := *c.conf
	conf.Net.ReadTimeout += extra
	p := &pool{conf: &conf, conns: make(map[string]*conn)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		p.close()
		return p
	}
	c.pools[p] = struct{}{}
	return p
}

// closePool closes the connections of one owner.
func (c *Client) closePool(p *pool) {
	c.mu.Lock()
	delete(c.pools, p)
	c.mu.Unlock()
	p.close()
}

// retry calls try until it succeeds, returns an error that is not retriable, Config.RetryTimeout has passed or ctx
// ends. It waits 5 ms after the first failure, then twice as long each time, up to 1 s.
func (c *Client) retry(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(c.cfg.RetryTimeout)
	for attempt := 0; ; attempt++ {
		err := try()
		if err == nil || !retriable(err) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("gave up after %v: %w", c.cfg.RetryTimeout, err)
		}
		if cause := pause(ctx, attempt); cause != nil {
			if errors.Is(err, cause) {
				return err
			}
			return fmt.Errorf("%w; before: %w", cause, err)
		}
	}
}

// pause waits before the next attempt, or until ctx ends.
func pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(backoff(attempt))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// backoff returns how long to wait after a failure; attempt is 0 for the first. It adds jitter of a quarter, so that
// clients that failed together do not retry together.
func backoff(attempt int) time.Duration {
	d := min(5*time.Millisecond<<min(attempt, 10), time.Second)
	return d + rand.N(d/4+1)
}
