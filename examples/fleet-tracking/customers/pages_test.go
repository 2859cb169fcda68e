package customers

import (
	"encoding/json"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
)

// shelf is a store in memory.
type shelf map[string]Case

func (s shelf) Get(id string) (Case, bool, error) {
	c, ok := s[id]
	return c, ok, nil
}

func (s shelf) All() iter.Seq2[state.Row[string, Case], error] {
	return func(yield func(state.Row[string, Case], error) bool) {
		for id, c := range s {
			if !yield(state.Row[string, Case]{Key: id, Value: c}, nil) {
				return
			}
		}
	}
}

// story is a delivery after some lines of a script of TestCase.
func story(t *testing.T, lines ...string) Case {
	t.Helper()
	var c Case
	for _, line := range lines {
		c, _ = happens(t, c, line)
	}
	return c
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func pagesOf(t *testing.T, s Store, pages Pages) *Handler {
	t.Helper()
	h, err := newHandler(s, pages)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestPage reads the page of a delivery that is late, in two languages and as JSON.
func TestPage(t *testing.T) {
	late := story(t, "8:00 plan 9:00-9:30", "8:30 leaves", "8:40 expected 9:40", "8:41 expected 9:41:20")
	now := func() time.Time { return clockTime(t, "8:43").Time() }
	h := pagesOf(t, shelf{"E1": late}, Pages{Secret: "s", Zone: "America/Sao_Paulo", Now: now})
	for _, c := range []struct {
		suffix, language string
		want             []string
	}{
		{"", "pt-BR,pt;q=0.9", []string{
			`<html lang="pt-BR">`, "Entrega E1 · Ana", "<h1>Sua entrega está a caminho.</h1>", "Prometida para 2026-01-05 06:00–06:30.",
			"Previsão: 06:41 (entre 06:39 e 06:43), em cerca de 58 min.", "Atraso de cerca de 11 min.", "Última notícia: 2026-01-05 05:41.",
			"Informação do sistema fleet-tracking, calculada a partir das posições do veículo.",
		}},
		{"", "en-GB", []string{"<h1>Your delivery is on its way.</h1>", "Expected at 06:41 (between 06:39 and 06:43), in about 58 min."}},
		{"?lang=en", "pt", []string{"Late by about 11 min."}},
		{"/json", "", []string{`"entrega":"E1"`, `"situacao":"on_its_way"`, `"atrasado":true,"atraso":680`}},
	} {
		w := get(h, h.Page("E1")+c.suffix, "Accept-Language", c.language)
		if w.Code != 200 {
			t.Fatalf("%s: status %d", c.suffix, w.Code)
		}
		for _, want := range c.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s in %s: no %q in\n%s", c.suffix, c.language, want, w.Body)
			}
		}
	}
	for name, value := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"} {
		if got := get(h, h.Page("E1")).Header().Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// TestLinks tries to see what one may not: 404 for a wrong key, for the key of another delivery, and for one that does not exist.
func TestLinks(t *testing.T) {
	planned := story(t, "8:00 plan 9:00-9:30")
	h := pagesOf(t, shelf{"E1": planned, "E2": planned, "E3": {}}, Pages{Secret: "s"})
	for path, want := range map[string]int{
		h.Page("E1"): 200,
		strings.Replace(h.Page("E1"), "E1", "E2", 1): 404,
		"/entregas/E1/":                 404,
		"/entregas/E1/x":                404,
		h.Page("E3"):                    404, // known only by news of its trip
		h.Page("E4"):                    404,
		h.List():                        200,
		h.List() + "x":                  404,
		"/":                             404,
		pagesOf(t, nil, Pages{}).List(): 404, // of another secret
	} {
		if w := get(h, path); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
	if again := pagesOf(t, nil, Pages{Secret: "s"}).Page("E1"); again != h.Page("E1") {
		t.Errorf("the same secret makes another link: %s", again)
	}
}

// TestInjection puts scripts and markup where a customer, a driver or a planner can write. They come out as text.
func TestInjection(t *testing.T) {
	const script = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	c := story(t, "8:00 plan 9:00-9:30", "9:10 failed "+script)
	plan := *c.Plan
	plan.ID, plan.Customer = script+"/../E1", script
	c.Plan = &plan
	h := pagesOf(t, shelf{plan.ID: c}, Pages{Secret: "s"})
	harmless := regexp.MustCompile(`<script|<img|onerror=alert\(1\)>`)
	for _, path := range []string{h.Page(plan.ID), h.List()} {
		w := get(h, path)
		if w.Code != 200 || harmless.MatchString(w.Body.String()) {
			t.Errorf("%s: status %d:\n%s", path, w.Code, w.Body)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		w = get(h, path+"/json")
		if !json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Type") != "application/json" || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s/json: %s", path, w.Body)
		}
	}
}

// TestList lists deliveries by their promised window. Each has the link of its page.
func TestList(t *testing.T) {
	first := story(t, "8:00 plan 9:00-9:30", "9:50 visit 9:45 9:48")
	second := story(t, "8:00 plan 10:00-10:30")
	plan := *second.Plan
	plan.ID = "E2"
	second.Plan = &plan
	h := pagesOf(t, shelf{"E2": second, "E1": first, "E3": {Now: fleet.Seconds(1)}}, Pages{})
	var all []linked
	if err := json.Unmarshal(get(h, h.List()+"/json").Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].ID != "E1" || all[1].ID != "E2" || all[1].Page != h.Page("E2") {
		t.Errorf("%+v", all)
	}
	body := get(h, h.List(), "Accept-Language", "en").Body.String()
	for _, want := range []string{`<a href="` + h.Page("E1") + `">E1</a>`, "Your delivery is complete.", "It arrived 15 min after the promised time."} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
}

// moving is a store whose task is on its way to another process.
type moving struct{}

func (moving) Get(string) (Case, bool, error) { return Case{}, false, runner.ErrElsewhere }

func (moving) All() iter.Seq2[state.Row[string, Case], error] {
	return func(yield func(state.Row[string, Case], error) bool) {
		yield(state.Row[string, Case]{}, runner.ErrUnavailable)
	}
}

// TestUnavailable asks a process that does not have the delivery.
func TestUnavailable(t *testing.T) {
	h := pagesOf(t, moving{}, Pages{})
	for _, path := range []string{h.Page("E1"), h.List()} {
		if w := get(h, path); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	if _, err := newHandler(nil, Pages{Zone: "Mars/Olympus"}); err == nil {
		t.Error("a time zone that does not exist is accepted")
	}
}

// TestSource reads on each page which system says so, and from what it knows.
func TestSource(t *testing.T) {
	for want, c := range map[string]Case{
		"Says the system fleet-tracking, by the plan of deliveries.":                  story(t, "8:00 plan 9:00-9:30"),
		"Says the system fleet-tracking, computed from the positions of the vehicle.": story(t, "8:00 plan 9:00-9:30", "8:30 leaves"),
		"Says the system fleet-tracking, by the record of the driver.":                story(t, "8:00 plan 9:00-9:30", "8:30 leaves", "9:10 failed closed"),
	} {
		h := pagesOf(t, shelf{"E1": c}, Pages{})
		if body := get(h, h.Page("E1")+"?lang=en").Body.String(); !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
}

// TestNav finds the links of the staff on the list, and on no page of a customer.
func TestNav(t *testing.T) {
	nav := func() []site.Link { return []site.Link{{Name: "drivers", Path: "/drivers"}} }
	h := pagesOf(t, shelf{"E1": story(t, "8:00 plan 9:00-9:30")}, Pages{Nav: nav})
	const link = `<a href="/drivers">drivers</a>`
	if body := get(h, h.List()).Body.String(); !strings.Contains(body, link) {
		t.Errorf("no %q in\n%s", link, body)
	}
	if body := get(h, h.Page("E1")).Body.String(); strings.Contains(body, "/drivers") {
		t.Errorf("a customer is shown the pages of the staff:\n%s", body)
	}
}
