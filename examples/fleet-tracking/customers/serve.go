package customers

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/rio-streams/rio/runner"
)

// Config says how Serve runs.
type Config struct {
	Engine  runner.Config // how the topology runs
	Address string        // host:port of the pages. Default: 127.0.0.1:8082
	Pages   Pages

	// Listening is called with the URL of the list, once pages are served. The zero value: nobody is told.
	Listening func(list string)
}

// Serve runs the topology and serves its pages until ctx ends, or the topology does.
func Serve(ctx context.Context, cfg Config) error {
	top, err := New()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cmp.Or(cfg.Address, "127.0.0.1:8082"))
	if err != nil {
		return err
	}
	defer listener.Close()
	app, err := runner.Start(ctx, top, cfg.Engine)
	if err != nil {
		return err
	}
	handler, err := NewHandler(app, cfg.Pages)
	if err != nil {
		app.Stop()
		return errors.Join(err, app.Wait())
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() {
		err := server.Serve(listener)
		app.Stop() // without pages there is nothing to serve
		served <- err
	}()
	if cfg.Listening != nil {
		cfg.Listening("http://" + listener.Addr().String() + handler.List())
	}
	err = app.Wait()
	err = errors.Join(err, server.Close())
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return err
}
