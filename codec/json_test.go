package codec_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
)

type position struct {
	Vehicle string  `json:"vehicle"`
	Lat     float64 `json:"lat"`
	Lon     float64 `json:"lon"`
	Speed   float64 `json:"speed"`
	Time    int64   `json:"time"`
}

const positionText = `{"vehicle":"3490101813","lat":44.25927734375,"lon":-76.4599380493164,"speed":8.3,"time":1768585399}`

var onePosition = position{"3490101813", 44.25927734375, -76.4599380493164, 8.3, 1768585399}

// simple has a field of every kind that is decoded without encoding/json.
type simple struct {
	S      string `json:"s"`
	Empty  string `json:"empty,omitempty"`
	B      bool
	I      int8
	U      uint16 `json:"u,omitempty"`
	F      float32
	D      time.Duration
	T      time.Time
	Named  name
	Nested struct {
		X, Y int
		Deep position `json:"deep"`
	}
	Hidden string `json:"-"`
	inner  int    //lint:ignore U1000 JSON does not see it, which is what is tested
}

type name string

// odd has features that only encoding/json handles.
type odd struct {
	position
	P    *position
	M    map[string]int
	L    []string
	N    json.Number
	Text int `json:",string"`
	Any  any
}

// swapped has marshal methods with pointer receivers.
type swapped struct{ A string }

func (s *swapped) MarshalJSON() ([]byte, error)    { return json.Marshal("<" + s.A) }
func (s *swapped) UnmarshalJSON(data []byte) error { s.A = string(data); return nil }

// asStandard compares a codec with encoding/json on one message.
func asStandard[T any](t *testing.T, data []byte) {
	t.Helper()
	c := codec.JSON[T]()
	var want T
	wantErr := json.Unmarshal(data, &want)
	got, err := c.Decode(bytes.Clone(data))
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%s: Decode(%q): error %v, encoding/json says %v", c, data, err, wantErr)
	}
	if err != nil {
		if !strings.HasSuffix(err.Error(), wantErr.Error()) {
			t.Fatalf("%s: Decode(%q): error %q, encoding/json says %q", c, data, err, wantErr)
		}
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: Decode(%q) = %#v, encoding/json reads %#v", c, data, got, want)
	}
	wantData, wantErr := json.Marshal(&want)
	gotData, err := c.Append([]byte("before"), got)
	if (err == nil) != (wantErr == nil) || err == nil && string(gotData) != "before"+string(wantData) {
		t.Fatalf("%s: Append(%#v) = %q, %v; encoding/json writes %q, %v", c, got, gotData, err, wantData, wantErr)
	}
}

func everyType(t *testing.T, data []byte) {
	t.Helper()
	asStandard[position](t, data)
	asStandard[simple](t, data)
	asStandard[odd](t, data)
	asStandard[swapped](t, data)
	asStandard[any](t, data)
	asStandard[map[string]position](t, data)
	asStandard[[]float64](t, data)
}

var messages = []string{
	positionText,
	" {\t\"vehicle\" : \"a\" ,\r\n\"lat\":1e3,\"lon\":-0.0,\"speed\":1E-7,\"time\":-5 } \n",
	`{"s":"é","B":true,"I":-128,"u":65535,"F":3.4e38,"D":5,"T":"2026-01-01T08:50:00.5Z","Named":"n","Nested":{"X":1,"Y":2,"deep":` + positionText + `}}`,
	`{"s":"\u00e9\n<>&","empty":"x","I":128}`, `{"s":"<>&"}`, `{"I":1.0}`, `{"u":-1}`, `{"F":1e39}`, `{"F":1e-7}`, `{"lat":1e21,"lon":123456789012345678901234567890}`,
	`{"S":"other case"}`, `{"VEHICLE":"other case"}`, "{\"veh\u017ficle\":1}", `{"vehicle":"a","vehicle":"b"}`, `{"Nested":{"X":1},"Nested":{"Y":2}}`,
	`{"unknown":[1,{}],"s":"x"}`, `{"unknown":null,"also":"x","and":1.5,"more":true,"s":"x"}`, `{"s":null,"I":null,"T":null,"Nested":null}`,
	`{}`, `{} x`, `{}{}`, `{"s":"x",}`, `{"s":"x"`, `{"s"}`, `{"s":}`, `{"B":truex}`, `{"B":tru}`, `{"I":01}`, `{"I":1 2}`, `{"I":-}`, `{"F":1.}`, `{"F":.5}`, `{"F":1e}`,
	"{\"s\":\"\xff\"}", "{\"s\":\"a\tb\"}", `{"s":1}`, `{"T":"yesterday"}`, `{"T":"2026-13-01T00:00:00Z"}`, `null`, ``, ` `, `[]`, `[1,2.5]`, `"x"`, `{"T":""}`,
	`{"P":{"vehicle":"x"},"M":{"b":1,"a":2},"L":["x",null],"N":1.50,"Text":"4","Any":{"z":1,"a":[null]}}`,
}

func TestJSONIsEncodingJSON(t *testing.T) {
	for _, message := range messages {
		everyType(t, []byte(message))
	}
}

func FuzzJSON(f *testing.F) {
	for _, message := range messages {
		f.Add([]byte(message))
	}
	f.Fuzz(func(t *testing.T, data []byte) { everyType(t, data) })
}

func FuzzJSONAppend(f *testing.F) {
	f.Add("text", 1.5, float32(1.5), int64(1), true)
	f.Add("\u2028<\xff", 1e-9, float32(1e21), int64(-1), false)
	f.Fuzz(func(t *testing.T, s string, x float64, y float32, n int64, b bool) {
		v := simple{S: s, Empty: s, B: b, I: int8(n), U: uint16(n), F: y, D: time.Duration(n), T: time.Unix(n, n).UTC(), Named: name(s)}
		v.Nested.X, v.Nested.Deep.Lat, v.Nested.Deep.Lon = int(n), x, -x
		want, wantErr := json.Marshal(&v)
		got, err := codec.JSON[simple]().Append(nil, v)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("Append = %s, %v; encoding/json writes %s, %v", got, err, want, wantErr)
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	c := codec.JSON[position]()
	data := []byte(positionText)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode by encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v position
			if err := json.Unmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			var err error
			if buf, err = c.Append(buf[:0], onePosition); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append by encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&onePosition); err != nil {
				b.Fatal(err)
			}
		}
	})
}
