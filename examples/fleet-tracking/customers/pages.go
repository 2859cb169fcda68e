package customers

import (
	"cmp"
	_ "embed"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
)

// Pages are the settings of the pages. The zero value works.
type Pages struct {
	Secret string           // of the links: who knows it can make them. Default: a random one, so that links end with the program
	Zone   string           // IANA name of the time zone of times on pages. Default: UTC
	Now    func() time.Time // default: time.Now
	Nav    site.Nav         // what the list links to, for the staff. Default: nothing
}

// Store has the deliveries: a *runner.LocalStore of the store that NewHandler reads.
type Store interface {
	Get(delivery string) (Case, bool, error)
	All() iter.Seq2[state.Row[string, Case], error]
}

// Handler serves a page for each delivery, and a list of all for the staff:
//
//	/entregas/{id}/{key}       the page of a delivery; with /json the same as JSON, like the values of topic entregas-situacao
//	/lista/{key}               all deliveries with the links of their pages; with /json the same as JSON
//
// A page is in Portuguese or English, as the browser prefers or ?lang= says. It loads nothing else, and tells search engines not to list it.
type Handler struct {
	store Store
	links links
	zone  *time.Location
	now   func() time.Time
	nav   site.Nav
	mux   *http.ServeMux
}

// NewHandler returns a handler of the deliveries of an application of the topology that runs in this process. Of several processes each has
// some deliveries only, and answers 503 for the others.
func NewHandler(app *runner.App, pages Pages) (*Handler, error) {
	store, err := runner.Local(app, cases)
	if err != nil {
		return nil, err
	}
	return newHandler(store, pages)
}

func newHandler(store Store, pages Pages) (*Handler, error) {
	zone, err := time.LoadLocation(pages.Zone)
	if err != nil {
		return nil, fmt.Errorf("customers: time zone of pages: %w", err)
	}
	h := &Handler{store: store, links: newLinks(pages.Secret), zone: zone, now: pages.Now, nav: pages.Nav, mux: http.NewServeMux()}
	if h.now == nil {
		h.now = time.Now
	}
	if h.nav == nil {
		h.nav = func() []site.Link { return nil }
	}
	h.mux.HandleFunc("GET /entregas/{id}/{key}", h.delivery(h.writePage))
	h.mux.HandleFunc("GET /entregas/{id}/{key}/json", h.delivery(func(w http.ResponseWriter, _ *http.Request, s Status) { site.WriteJSON(w, s) }))
	h.mux.HandleFunc("GET /lista/{key}", h.list(h.writeList))
	h.mux.HandleFunc("GET /lista/{key}/json", h.list(func(w http.ResponseWriter, _ *http.Request, all []linked) { site.WriteJSON(w, all) }))
	return h, nil
}

// Page returns the path of the page of a delivery.
func (h *Handler) Page(delivery string) string { return h.links.page(delivery) }

// List returns the path of the list. It is for the staff: it has the links of all pages.
func (h *Handler) List() string { return h.links.list() }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site.Private(h.mux).ServeHTTP(w, r) // the link is a secret
}

// delivery answers a request for a delivery. It does not tell a wrong key from a delivery that does not exist.
func (h *Handler) delivery(write func(http.ResponseWriter, *http.Request, Status)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if !h.links.fits(r.PathValue("key"), "entrega", id) {
			http.NotFound(w, r)
			return
		}
		c, found, err := h.store.Get(id)
		switch {
		case err != nil: // a task is moving, or another process has the delivery
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case !found || c.Plan == nil:
			http.NotFound(w, r)
		default:
			write(w, r, c.Status())
		}
	}
}

// linked is a delivery in the list.
type linked struct {
	Status
	Page string `json:"pagina"` // path
}

// list answers a request for all deliveries, by promised window.
func (h *Handler) list(write func(http.ResponseWriter, *http.Request, []linked)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !h.links.fits(r.PathValue("key"), "lista", "") {
			http.NotFound(w, r)
			return
		}
		all := []linked{}
		for row, err := range h.store.All() {
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			if row.Value.Plan != nil {
				all = append(all, linked{row.Value.Status(), h.Page(row.Key)})
			}
		}
		slices.SortFunc(all, func(a, b linked) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.ID, b.ID)) })
		write(w, r, all)
	}
}

//go:embed pages.html
var html string

var templates = site.Parse(html)

// page is what the template of a page shows.
type page struct {
	Words    words
	Status   Status
	Sentence string
	Lines    []string
	Source   string
}

func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, s Status) {
	l := languageOf(r)
	site.Write(w, templates, "page", page{l.page, s, l.phase(s.Phase, s.Reason), h.lines(l, s), l.source(s)})
}

func (h *Handler) writeList(w http.ResponseWriter, r *http.Request, all []linked) {
	l := languageOf(r)
	type row struct {
		linked
		Window, Sentence, Lines string
	}
	rows := make([]row, len(all))
	for i, s := range all {
		rows[i] = row{s, h.window(s.From, s.To), l.phase(s.Phase, s.Reason), strings.Join(h.lines(l, s.Status)[1:], " ")}
	}
	site.Write(w, templates, "list", struct {
		Words words
		Nav   []site.Link
		Rows  []row
	}{l.page, h.nav(), rows})
}

// lines say the promised window, and what else there is to say.
func (h *Handler) lines(l language, s Status) []string {
	lines := []string{l.page.Promised + " " + h.window(s.From, s.To) + "."}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if s.NoSignal != 0 {
		say("%s", l.noSignal)
	}
	if s.Expected != 0 && (s.Phase != Planned || s.Late) {
		say(l.page.expected, h.clock(s.Expected), h.clock(s.Low), h.clock(s.High), span(h.minutesLeft(s)))
	}
	switch minutes := upToMinutes(s.LateBy + s.EarlyBy); {
	case minutes == 0 && s.Phase.ahead():
	case s.Phase.ahead():
		say(l.late, span(minutes))
	case s.Arrived != 0 && minutes == 0:
		say(l.page.arrived, h.clock(s.Arrived))
	case minutes > 0:
		say(l.page.arrived+" "+l.arrivedBy[s.LateBy > 0], h.clock(s.Arrived), span(minutes))
	}
	if s.Correction {
		say("%s", l.page.corrected)
	}
	if s.At != 0 {
		say(l.page.latest, h.day(s.At), h.clock(s.At))
	}
	return lines
}

// minutesLeft is how long the vehicle will take from now on; where the latest news are old, as in a replay, from then on.
func (h *Handler) minutesLeft(s Status) int {
	from := fleet.InstantOf(h.now())
	if from < s.At || from > s.At+hour {
		from = s.At
	}
	return int(max(0, s.Expected.Since(from)+30) / 60)
}

func (h *Handler) window(from, to fleet.Instant) string {
	if from == to {
		return h.day(from) + " " + h.clock(from)
	}
	return h.day(from) + " " + h.clock(from) + "–" + h.clock(to)
}

func (h *Handler) clock(at fleet.Instant) string { return at.Time().In(h.zone).Format("15:04") }
func (h *Handler) day(at fleet.Instant) string   { return at.Time().In(h.zone).Format("2006-01-02") }

// languageOf is the language that a request asks for.
func languageOf(r *http.Request) language {
	wanted := cmp.Or(r.FormValue("lang"), r.Header.Get("Accept-Language"))
	if strings.HasPrefix(strings.ToLower(wanted), "en") {
		return english
	}
	return portuguese
}
