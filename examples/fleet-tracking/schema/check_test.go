package schema

import (
	"reflect"
	"strings"
	"testing"
)

// stop has fields of every kind.
type stop struct {
	Name   string         `json:"nome"`
	Metres float64        `json:"metros,omitempty"`
	Kind   kind           `json:"tipo"`
	Place  [2]float64     `json:"lugar"`
	Next   *stay          `json:"proxima,omitempty"`
	Calls  []stay         `json:"visitas,omitempty"`
	Counts map[string]int `json:"contas,omitempty"`
}

type stay struct {
	Seconds int `json:"segundos"`
}

type kind string

func TestCheck(t *testing.T) {
	words := map[string]string{}
	for _, name := range []string{"nome", "metros", "tipo", "lugar", "proxima", "visitas", "contas", "segundos"} {
		words[name] = "said"
	}
	d := Describer{Glossary: words, Comments: Comments{values: map[string][]string{"schema.kind": {"depot", "customer"}}}}
	form, err := d.Describe(reflect.TypeFor[stop]())
	if err != nil {
		t.Fatal(err)
	}
	const least = `"nome":"p1","tipo":"depot","lugar":[1,2.5]`
	for _, test := range []struct{ text, want string }{
		{`{` + least + `}`, ""},
		{`{` + least + `,"metros":2,"proxima":{"segundos":1},"visitas":[{"segundos":1}],"contas":{"a":1}}`, ""},
		{`{"tipo":"depot","lugar":[1,2]}`, "value has no field nome"},
		{`{` + least + `,"other":1}`, "value has a field other"},
		{`{` + least + `,"metros":"2"}`, "value.metros is of type string, not number"},
		{`{` + least + `,"metros":null}`, "value.metros is of type null"},
		{`{` + least + `,"visitas":[{"segundos":1},{"segundos":1.5}]}`, "value.visitas[1].segundos is of type number, not integer"},
		{`{` + least + `,"contas":{"a":"1"}}`, "value.contas.a is of type string, not integer"},
		{`{"nome":"p1","tipo":"yard","lugar":[1,2]}`, `value.tipo is "yard"`},
		{`{"nome":"p1","tipo":"depot","lugar":[1]}`, "value.lugar has 1 items, not 2"},
		{`[1`, "unexpected end"},
	} {
		err := form.Check([]byte(test.text))
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.text, err, test.want)
		}
	}
}

func TestDescribeTellsAllFieldsWithoutMeaning(t *testing.T) {
	_, err := Describer{Glossary: map[string]string{"lugar": "place"}}.Describe(reflect.TypeFor[stop]())
	for _, want := range []string{"schema.stop.Name", "schema.stay.Seconds", `"contas"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want it to say %s", err, want)
		}
	}
}

func TestComments(t *testing.T) {
	c, err := ReadComments("testdata/place")
	if err != nil {
		t.Fatal(err)
	}
	type Stop struct {
		Near float64 `json:"perto"`
		Far  float64 `json:"longe"`
		ID   string  `json:"id"`
	}
	for name, want := range map[string]string{
		"Near": "metres; along the line", "Far": "along the line", "ID": "in the order of `perto`", "Other": "",
	} {
		c.fields[reflect.TypeFor[Stop]().String()] = c.fields["place.Stop"]
		if got := c.of(reflect.TypeFor[Stop](), name); got != want {
			t.Errorf("of %s it is said %q, want %q", name, got, want)
		}
	}
	if got := c.values["place.Kind"]; !reflect.DeepEqual(got, []string{"depot"}) {
		t.Errorf("the values of Kind are %q", got)
	}
}
