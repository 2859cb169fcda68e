package drivers

import (
	"encoding/json"
	"errors"
	"iter"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/state"
)

// pagesInMemory are the rows of a store; err is what reading them ends with.
type pagesInMemory struct {
	pages []page
	err   error
}

func (p pagesInMemory) All() iter.Seq2[state.Row[string, page], error] {
	return func(yield func(state.Row[string, page], error) bool) {
		for _, one := range p.pages {
			if !yield(state.Row[string, page]{Key: one.Key(), Value: one}, nil) {
				return
			}
		}
		if p.err != nil {
			yield(state.Row[string, page]{}, p.err)
		}
	}
}

func nav() []site.Link { return []site.Link{{Name: "logistics", Path: "/logistics"}} }

// TestHandler reads the ranking as a page and as JSON. Markup in a name comes out as text, and what cannot be computed is said and no 0.
func TestHandler(t *testing.T) {
	const script = `<script>alert(1)</script>"'&x=1`
	part := conduct.Part{Figures: conduct.Figures{Fixes: 11, Reported: 11, Pairs: 10, Time: 310_000, Moving: 300_000}}
	pages := pagesInMemory{pages: []page{
		{conduct.SheetOf(script, "", "20260116"), conduct.Book{Parts: map[string]conduct.Part{"V1": part}}},
		{conduct.SheetOf("", script, "20260116"), conduct.Book{}},
		{conduct.SheetOf("bia", "", "20260116"), conduct.Book{}},
	}}
	get := func(path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		handler(pages, nav).ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		return answer
	}
	body := get("/drivers").Body.String()
	if strings.Contains(body, "<script") {
		t.Errorf("markup comes through:\n%s", body)
	}
	for _, want := range []string{
		`<a href="/logistics">logistics</a>`, "vehicle &lt;script&gt;", `href="/drivers?motorista=%3cscript%3e`, "over %: no limit is given.",
		"harsh/100km: fixes every 31 s.", `<td class="number">-<td class="number">-<td class="number">-<td class="number">-<td class="number">-`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	var ranks []Rank
	if err := json.Unmarshal(get("/drivers/json?motorista=bia").Body.Bytes(), &ranks); err != nil || len(ranks) != 1 || ranks[0].Driver != "bia" {
		t.Errorf("one driver is %+v, %v", ranks, err)
	}
	pages.err = errors.New("the task is moving")
	for path, want := range map[string]int{"/drivers": 503, "/drivers/json": 503, "/": 404} {
		if answer := get(path); answer.Code != want {
			t.Errorf("%s is answered with %d, want %d", path, answer.Code, want)
		}
	}
}
