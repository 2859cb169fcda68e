package runner_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
)

// The broker stops while the application is processing, and restarts at the same address. No record is lost or counted
// twice, and the application recovers by itself.
//
// Proves: exactly-once-outage
func TestTheBrokerGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	cfg := broker.Config{DataDir: t.TempDir(), KeepPort: true}
	b, err := broker.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := joinCluster(t, b.Addr(), "outage")
	c.create(c.lines.Name(), 2)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	forever := c.config()
	forever.StopAtEnd = false
	done, stop := c.background(ctx, forever)

	want := map[string]int64{}
	for range 3 {
		c.send(c.lines.Name(), 2, "rio mar", "rio", "lago")
		want["rio"] += 2
		want["mar"]++
		want["lago"]++
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if b, err = broker.Start(cfg); err != nil {
			t.Fatal(err)
		}
	}
	defer b.Close()
	c.send(c.lines.Name(), 2, "rio")
	want["rio"]++
	c.await(ctx, func() bool { counts, _ := c.final(); return maps.Equal(counts, want) })
	if _, records := c.final(); !maps.Equal(records, want) {
		t.Errorf("records %v, want %v", records, want)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
