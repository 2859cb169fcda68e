// Package site has what the pages and texts of the consumers share: their look, the links between those of the staff, headers that keep
// scripts out, and names that cannot control a terminal. Pages are templates of html/template, which escapes names, reasons and whatever else comes from outside.
package site

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
)

// Link is a page of the staff.
type Link struct{ Name, Path string }

// Nav returns the pages that a page of the staff links to. It is called for each request, because pages are added one after the other.
type Nav func() []Link

//go:embed layout.html
var layout string

// Parse returns the templates in a text. They can use two more:
//
//	{{template "head" .Lang}}    begins a document in a language, such as "en"; then come title and body
//	{{template "nav" .Nav}}      links to the pages of the staff, a []Link
//
// It panics if the text is no template.
func Parse(text string) *template.Template {
	return template.Must(template.Must(template.New("").Parse(layout)).Parse(text))
}

// Write responds with the page that a template makes of data, or with status 500 if it fails.
func Write(w http.ResponseWriter, templates *template.Template, name string, data any) {
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(body.Bytes())
}

// WriteJSON responds with a value as JSON, or with status 500 if it has none.
func WriteJSON(w http.ResponseWriter, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n'))
}

// Private adds headers to the responses of a handler: browsers run no script and load nothing, keep nothing, tell no other site the address,
// and search engines do not list the page.
func Private(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Robots-Tag", "noindex")
		handler.ServeHTTP(w, r)
	})
}
