package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
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
	writeBatch  = 1000             // positions that are written at once, if so many wait
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
	w := &writer{client: in.app.client}
	defer w.close()
	for ctx.Err() == nil {
		batch := in.batch(ctx)
		var positions []fleet.Position
		for _, d := range batch {
			positions = append(positions, d.position)
		}
		err := w.write(ctx, positions)
		for _, d := range batch {
			d.done <- err
		}
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
	for len(batch) < writeBatch {
		select {
		case d := <-in.arrived:
			batch = append(batch, d)
		default:
			return batch
		}
	}
	return batch
}

// writer writes positions as they come, outside of transactions. After a failure it makes a new producer.
type writer struct {
	client *kafka.Client
	sender *sender // nil at first, and after a failure
}

// write writes positions. After an error, some of them may be in the log.
func (w *writer) write(ctx context.Context, positions []fleet.Position) error {
	for batch := range slices.Chunk(positions, writeBatch) {
		if err := w.writeBatch(ctx, batch); err != nil {
			w.close() // a producer that has failed does not recover
			return err
		}
	}
	return nil
}

func (w *writer) writeBatch(ctx context.Context, batch []fleet.Position) (err error) {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if w.sender == nil {
		if w.sender, err = newSender(ctx, w.client, kafka.ProducerConfig{}); err != nil {
			return err
		}
	}
	for _, p := range batch {
		if err := send(ctx, w.sender, tracking.Positions, p.Vehicle, p, p.Instant); err != nil {
			return err
		}
	}
	return w.sender.producer.Flush(ctx)
}

func (w *writer) close() {
	if w.sender != nil {
		w.sender.producer.Close()
		w.sender = nil
	}
}
