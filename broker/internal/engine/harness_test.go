package engine

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// morning is the initial time of a test's clock.
var morning = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

// waitTimeout bounds how long a test waits.
const waitTimeout = 30 * time.Second

// harness is an engine with a store in memory. Its clock only advances when the test advances it.
type harness struct {
	*testing.T
	db     *store.DB
	engine *Engine
	client *Client // the connection for the test's requests
	clock  atomic.Int64
	log    logCapture
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{T: t}
	h.clock.Store(morning.UnixMilli())
	var err error
	h.db, err = store.Open(store.Options{Logger: slog.New(slog.DiscardHandler)})
	h.must(err)
	t.Cleanup(func() { h.must(h.db.Close()) })
	h.start()
	t.Cleanup(func() { h.engine.Close() })
	return h
}

func (h *harness) config() Config {
	return Config{
		Store: h.db, Logger: slog.New(slog.NewTextHandler(&h.log, nil)), Now: h.now,
		Host: "localhost", Port: 9092, Partitions: 1, MinSession: time.Millisecond, MaxPartitions: 100, MaxUnsent: 64 << 20,
	}
}

// start starts an engine. It sweeps at once, so the next sweep is exactly sweepInterval later.
func (h *harness) start() {
	h.Helper()
	var err error
	h.engine, err = Start(h.config())
	h.must(err)
	h.client = &Client{ID: "test", Host: "127.0.0.1"}
	h.advance(0)
}

// restart closes the engine and starts another on the same store.
func (h *harness) restart() {
	h.Helper()
	h.engine.Close()
	h.start()
}

// twice runs a check now and again after a restart.
func (h *harness) twice(check func()) {
	h.Helper()
	check()
	h.restart()
	check()
}

func (h *harness) now() time.Time { return time.UnixMilli(h.clock.Load()) }

// advance advances the clock and makes the engine do everything that is due.
func (h *harness) advance(d time.Duration) {
	h.Helper()
	h.clock.Add(d.Milliseconds())
	h.do(func(e *Engine) { e.tick(e.clock()) })
}

// compact advances the clock to the next sweep and waits until compaction has ended.
func (h *harness) compact() {
	h.Helper()
	h.advance(sweepInterval)
	h.compacted()
}

func (h *harness) compacted() {
	h.Helper()
	for cleaning := true; cleaning; runtime.Gosched() {
		h.do(func(e *Engine) { cleaning = e.cleaning })
	}
}

// do runs a function in the engine's goroutine and waits until its changes are durable.
func (h *harness) do(work func(e *Engine)) {
	h.Helper()
	done := make(chan error, 1)
	h.engine.do(func() {
		work(h.engine)
		h.engine.after(func(err error) { done <- err })
	})
	h.must(next(h, done))
}

// next waits for the next value of a channel.
func next[T any](h *harness, from <-chan T) T {
	h.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(waitTimeout):
		h.Fatal("nothing comes")
		panic("unreachable")
	}
}

// request is a request and the type of its response.
type request[R any] interface {
	kmsg.Request
	RequestWith(ctx context.Context, r kmsg.Requestor) (R, error)
}

// ask sends a request, in the newest version unless it has one, and waits for the response.
func ask[R any](h *harness, req request[R]) R {
	h.Helper()
	if req.GetVersion() == 0 {
		req.SetVersion(versions[kmsg.Key(req.Key())][1])
	}
	answers := make(chan kmsg.Response, 1)
	h.engine.Handle(h.Context(), h.client, req, func(res kmsg.Response) { answers <- res })
	answer := next(h, answers)
	if fetched, ok := answer.(*Fetched); ok {
		answer = fetched.FetchResponse // its records are kept
	}
	res, ok := answer.(R)
	if !ok {
		h.Fatalf("%s: the engine closed the connection", kmsg.NameForKey(req.Key()))
	}
	return res
}

// must ends the test if err is not nil.
func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// code checks that the error code of a response is that of want.
func (h *harness) code(want error, got int16, doing string) {
	h.Helper()
	if err := kerr.ErrorForCode(got); err != want {
		h.Errorf("%s: %v; want: %v", doing, err, want)
	}
}

// topic creates a topic with one partition and settings such as "retention.ms=1000".
func (h *harness) topic(name string, settings ...string) {
	h.Helper()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = name, 1, 1
	for _, s := range settings {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		setting, value, _ := strings.Cut(s, "=")
		c.Name, c.Value = setting, &value
		rt.Configs = append(rt.Configs, c)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, rt)
	h.must(kerr.ErrorForCode(ask(h, req).Topics[0].ErrorCode))
}

// partition returns the partition of a topic.
func (h *harness) partition(topic string) *partition {
	return h.engine.catalog.Load().partition(topic, 0)
}

// logCapture captures the log of the engine.
type logCapture struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logCapture) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// count returns how often a text occurs in the log.
func (l *logCapture) count(content string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), content)
}
