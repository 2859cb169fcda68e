package logistics

import (
	"errors"
	"iter"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/state"
)

// legsInMemory are the rows of a store; err is what reading them ends with.
type legsInMemory struct {
	hours []fleet.LegHour
	err   error
}

func (l legsInMemory) All() iter.Seq2[state.Row[fleet.LegKey, fleet.LegHour], error] {
	return func(yield func(state.Row[fleet.LegKey, fleet.LegHour], error) bool) {
		for _, h := range l.hours {
			if !yield(state.Row[fleet.LegKey, fleet.LegHour]{Key: h.LegKey, Value: h}, nil) {
				return
			}
		}
		if l.err != nil {
			yield(state.Row[fleet.LegKey, fleet.LegHour]{}, l.err)
		}
	}
}

func hourOf(from, to string, driven ...int64) fleet.LegHour {
	var h fleet.LegHour
	for i, s := range driven {
		left := fleet.Seconds(int64(1000 * i))
		h = h.Apply(fleet.LegChange{Value: fleet.Leg{From: from, To: to, Hour: 8, Left: left, Driven: float64(s), Planned: 60}})
	}
	return h
}

func TestHandler(t *testing.T) {
	empty := fleet.LegHour{LegKey: fleet.LegKey{From: "x", To: "y", Hour: 8}} // all its legs were taken back
	hours := []fleet.LegHour{hourOf("a", "b", 70), hourOf("b", "c", 50), hourOf("c", "d", 90, 100), hourOf("d", "e", 70), empty}

	answer := httptest.NewRecorder()
	handler(legsInMemory{hours: hours}, nil).ServeHTTP(answer, httptest.NewRequest("GET", "/logistics/json?n=2", nil))
	if got := answer.Body.String(); strings.Count(got, "daParada") != 2 || !strings.HasPrefix(got, `[{"daParada":"c"`) || !strings.Contains(got, `{"daParada":"a"`) {
		t.Errorf("the worst two legs are %s", got)
	}
	for query, want := range map[string]int{"/logistics?n=0": 400, "/logistics/json?n=many": 400, "/logistics": 503, "/logistics/json": 503, "/": 404} {
		answer := httptest.NewRecorder()
		handler(legsInMemory{hours, errors.New("the task is moving")}, nil).ServeHTTP(answer, httptest.NewRequest("GET", query, nil))
		if answer.Code != want {
			t.Errorf("%s is answered with %d, want %d", query, answer.Code, want)
		}
	}
}

// TestPage puts markup into the names of stops and links. It comes out as text.
func TestPage(t *testing.T) {
	const script = `"><script>alert(1)</script>`
	nav := func() []site.Link {
		return []site.Link{{Name: "drivers", Path: "/drivers"}, {Name: script, Path: "javascript:alert(1)"}}
	}
	answer := httptest.NewRecorder()
	handler(legsInMemory{hours: []fleet.LegHour{hourOf(script, "b", 70)}}, nav).ServeHTTP(answer, httptest.NewRequest("GET", "/logistics", nil))
	body := answer.Body.String()
	if strings.Contains(body, "<script") || strings.Contains(body, "javascript:") {
		t.Errorf("markup comes through:\n%s", body)
	}
	for _, want := range []string{`<a href="/drivers">drivers</a>`, "&lt;script&gt;", `<td class="number">70.0<td class="number">10.0`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
}

func TestWriteWorst(t *testing.T) {
	var failed error
	hours := legsInMemory{hours: []fleet.LegHour{hourOf("a", "b", 70), hourOf("c", "d", 90, 100)}}
	var text strings.Builder
	if err := WriteWorst(&text, Worst(summaries(hours, &failed), 5)); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"from         to            hour drives  planned s   median s     lost s\n" +
		"c            d                8      2       60.0      100.0       70.0\n" +
		"a            b                8      1       60.0       70.0       10.0\n"
	if text.String() != want || failed != nil {
		t.Errorf("the worst legs are\n%swant\n%s", text.String(), want)
	}
}
