package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"time"
)

// pages are what consumers show by HTTP. They are for the staff: the first one has links to all.
type pages struct {
	mux  *http.ServeMux
	list []page
}

type page struct{ Name, Path string }

func newPages() *pages {
	p := &pages{mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		indexPage.Execute(w, p.list)
	})
	return p
}

var indexPage = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>fleet-tracking</title>
<h1>fleet-tracking</h1>
<ul>{{range .}}
<li><a href="{{.Path}}">{{.Name}}</a></li>{{end}}
</ul>
</html>
`))

// add shows a handler at a path, or under others as well if they are given. Call it before serve.
func (p *pages) add(name, path string, handler http.Handler, under ...string) {
	p.list = append(p.list, page{name, path})
	if under == nil {
		under = []string{path}
	}
	for _, pattern := range under {
		p.mux.Handle(pattern, handler)
	}
}

// serve shows the pages on an address until the returned function is called.
func (p *pages) serve(address string) (at net.Addr, stop func() error, err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("-web %s: %w", address, err)
	}
	server := &http.Server{Handler: p.mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return listener.Addr(), func() error {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(closing) != nil { // a reader that is slow
			server.Close()
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}
