package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// intake takes positions by HTTP, as phones and trackers send them, and writes them to localizacao-veiculos. A request is answered
// with 200 when the log has the position. One that is sent again does no harm: repeats are left out.
type intake struct {
	app     *app
	arrived chan delivery
}

// delivery is a position on its way to the log. Whoever waits learns of its end.
type delivery struct {
	position fleet.Position
	done     chan error
}

const (
	intakeBatch = 1000             // positions that are written at once, if so many wait
	largestBody = 64 << 10         // bytes of a request
	writeLimit  = 10 * time.Second // for a batch
)

// serve takes positions on an address until ctx ends.
func (a *app) serve(ctx context.Context, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("-http %s: %w", address, err)
	}
	in := &intake{app: a, arrived: make(chan delivery)}
	fmt.Fprintf(a.stdout, "Positions by HTTP on http://%s/?id=VEHICLE&lat=LATITUDE&lon=LONGITUDE&timestamp=SECONDS\n", listener.Addr())
	server := &http.Server{Handler: in, ReadTimeout: writeLimit, WriteTimeout: 2 * writeLimit}
	written := make(chan struct{})
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(written)
		in.write(writing)
	}()
	context.AfterFunc(ctx, func() {
		closing, cancel := context.WithTimeout(writing, writeLimit)
		defer cancel()
		if server.Shutdown(closing) != nil { // it waits for the answers that are due
			server.Close()
		}
		stop()
	})
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		err = nil
	} else {
		stop()
	}
	<-written
	return err
}

// ServeHTTP implements http.Handler.
func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	position, err := readPosition(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d := delivery{position, make(chan error, 1)}
	select {
	case in.arrived <- d:
	case <-r.Context().Done():
		return
	}
	if err := <-d.done; err != nil {
		http.Error(w, "not written, send it again: "+err.Error(), http.StatusServiceUnavailable)
	}
}

func readPosition(w http.ResponseWriter, r *http.Request) (fleet.Position, error) {
	r.Body = http.MaxBytesReader(w, r.Body, largestBody)
	if r.Header.Get("Content-Type") == "application/json" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return fleet.Position{}, err
		}
		return recording.TraccarJSON(body, time.Now())
	}
	if err := r.ParseForm(); err != nil {
		return fleet.Position{}, err
	}
	return recording.OsmAnd(r.Form, time.Now())
}

// write writes what has arrived until ctx ends.
func (in *intake) write(ctx context.Context) {
	var s *sender
	for ctx.Err() == nil {
		batch := in.batch(ctx)
		if len(batch) == 0 {
			break
		}
		var err error
		if s == nil {
			s, err = newSender(ctx, in.app.client, kafka.ProducerConfig{})
		}
		if err == nil {
			err = s.writeAll(ctx, batch)
		}
		if err != nil && s != nil { // a producer that has failed does not recover
			s.producer.Close()
			s = nil
		}
		for _, d := range batch {
			d.done <- err
		}
	}
	if s != nil {
		s.producer.Close()
	}
}

// batch waits for a position and returns it with those that have arrived meanwhile.
func (in *intake) batch(ctx context.Context) []delivery {
	var batch []delivery
	select {
	case d := <-in.arrived:
		batch = append(batch, d)
	case <-ctx.Done():
		return nil
	}
	for len(batch) < intakeBatch {
		select {
		case d := <-in.arrived:
			batch = append(batch, d)
		default:
			return batch
		}
	}
	return batch
}

func (s *sender) writeAll(ctx context.Context, batch []delivery) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	for _, d := range batch {
		if err := send(ctx, s, tracking.Positions, d.position.Vehicle, d.position, d.position.Instant); err != nil {
			return err
		}
	}
	return s.producer.Flush(ctx)
}
