package codec

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// jsonStruct reads and writes structs of one type without encoding/json, where the type and the message are simple. Whatever it meets
// that it does not know to the last detail, an escape, a null in an odd place, an unknown object, an error of any kind, it gives up,
// and encoding/json does the work from the start. So it needs to be right only about what it accepts.
type jsonStruct struct {
	fields []jsonField
}

// jsonField is one field in the order of the struct, which is the order of the output.
type jsonField struct {
	name      string // as in the message; plain ASCII
	prefix    string // `"name":`
	index     int
	kind      reflect.Kind // reflect.Interface stands for time.Time
	bits      int          // of a number
	omitempty bool
	nested    *jsonStruct
}

const timeKind = reflect.Interface

var (
	timeType  = reflect.TypeFor[time.Time]()
	marshaler = []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	}
)

// planFields is nil if the type is not simple: something embedded, a field with an option other than omitempty, names that differ in
// case alone, a kind with references, a method that encodes or decodes.
func planFields(t reflect.Type) *jsonStruct {
	if t.Kind() != reflect.Struct || encodesItself(t) {
		return nil
	}
	s := &jsonStruct{}
	for i := range t.NumField() {
		field := t.Field(i)
		switch {
		case field.Anonymous:
			return nil
		case !field.IsExported() || field.Tag.Get("json") == "-":
			continue
		}
		f, ok := planField(field)
		if !ok || s.find(f.name) != nil {
			return nil
		}
		f.index = i
		s.fields = append(s.fields, f)
	}
	return s
}

// planField plans one field.
func planField(field reflect.StructField) (jsonField, bool) {
	name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "" {
		name = field.Name
	}
	f := jsonField{name: name, prefix: `"` + name + `":`, kind: field.Type.Kind(), omitempty: option == "omitempty"}
	if option != "" && !f.omitempty || !plainName(name) {
		return f, false
	}
	if field.Type == timeType {
		f.kind = timeKind
		return f, true
	}
	if encodesItself(field.Type) {
		return f, false
	}
	switch f.kind {
	case reflect.String, reflect.Bool:
		return f, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		f.bits = field.Type.Bits()
		return f, field.Type != reflect.TypeFor[json.Number]()
	case reflect.Struct:
		f.nested = planFields(field.Type)
		return f, f.nested != nil
	}
	return f, false
}

func encodesItself(t reflect.Type) bool {
	for _, m := range marshaler {
		if t.Implements(m) || reflect.PointerTo(t).Implements(m) {
			return true
		}
	}
	return t == reflect.TypeFor[json.Number]()
}

// plainName tells whether a name is written as it is: letters, digits and a few signs of ASCII.
func plainName(name string) bool {
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return name != ""
}

// find returns the field that encoding/json would take for a key, exact or in another case.
func (s *jsonStruct) find(key string) *jsonField {
	for i := range s.fields {
		if strings.EqualFold(s.fields[i].name, key) {
			return &s.fields[i]
		}
	}
	return nil
}

// decode reads an object into a struct and returns what follows it. If it gives up, the struct may be half read.
func (s *jsonStruct) decode(data []byte, v reflect.Value) (rest []byte, ok bool) {
	data = skipSpace(data)
	if len(data) == 0 || data[0] != '{' {
		return nil, false
	}
	data = skipSpace(data[1:])
	if len(data) > 0 && data[0] == '}' {
		return data[1:], true
	}
	for expected := 0; ; expected++ {
		var key []byte
		if key, data, ok = readString(data); !ok {
			return nil, false
		}
		data = skipSpace(data)
		if len(data) == 0 || data[0] != ':' {
			return nil, false
		}
		data = skipSpace(data[1:])
		f, known := s.field(key, expected)
		if !known {
			return nil, false
		}
		if f != nil {
			data, ok = f.decode(data, v.Field(f.index))
		} else {
			data, ok = skipSimple(data)
		}
		if !ok {
			return nil, false
		}
		data = skipSpace(data)
		if len(data) == 0 {
			return nil, false
		}
		switch data[0] {
		case '}':
			return data[1:], true
		case ',':
			data = skipSpace(data[1:])
		default:
			return nil, false
		}
	}
}

// field finds the field of a key; nil if no field has that name. It does not know a key that is there in another case only, or one
// that is not ASCII.
func (s *jsonStruct) field(key []byte, expected int) (f *jsonField, known bool) {
	if expected < len(s.fields) && string(key) == s.fields[expected].name {
		return &s.fields[expected], true
	}
	for i := range s.fields {
		if string(key) == s.fields[i].name {
			return &s.fields[i], true
		}
	}
	for _, c := range key {
		if c >= utf8.RuneSelf {
			return nil, false
		}
	}
	return nil, s.find(string(key)) == nil
}

// decode reads one value into a field.
func (f *jsonField) decode(data []byte, v reflect.Value) (rest []byte, ok bool) {
	if len(data) == 0 || data[0] == 'n' { // null leaves most fields as they are, but let encoding/json decide
		return nil, false
	}
	switch f.kind {
	case reflect.String:
		text, rest, ok := readString(data)
		if ok {
			v.SetString(string(text))
		}
		return rest, ok
	case reflect.Bool:
		if rest, ok = bytes.CutPrefix(data, []byte("true")); ok {
			v.SetBool(true)
		} else if rest, ok = bytes.CutPrefix(data, []byte("false")); ok {
			v.SetBool(false)
		}
		return rest, ok
	case reflect.Struct:
		return f.nested.decode(data, v)
	case timeKind:
		text, rest, ok := readString(data)
		return rest, ok && v.Addr().Interface().(*time.Time).UnmarshalJSON(data[:len(text)+2]) == nil
	}
	number, rest := readNumber(data)
	return rest, number != nil && f.setNumber(number, v)
}

// setNumber parses a number as encoding/json does.
func (f *jsonField) setNumber(number []byte, v reflect.Value) bool {
	switch f.kind {
	case reflect.Float32, reflect.Float64:
		x, err := strconv.ParseFloat(string(number), f.bits)
		v.SetFloat(x)
		return err == nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		x, err := strconv.ParseUint(string(number), 10, f.bits)
		v.SetUint(x)
		return err == nil
	}
	x, err := strconv.ParseInt(string(number), 10, f.bits)
	v.SetInt(x)
	return err == nil
}

// skipSpace drops white space from the front.
func skipSpace(data []byte) []byte {
	for len(data) > 0 && (data[0] == ' ' || data[0] == '\n' || data[0] == '\t' || data[0] == '\r') {
		data = data[1:]
	}
	return data
}

// readString reads a string without escapes, in valid UTF-8.
func readString(data []byte) (text, rest []byte, ok bool) {
	if len(data) == 0 || data[0] != '"' {
		return nil, nil, false
	}
	data = data[1:]
	ascii := true
	for i, c := range data {
		switch {
		case c == '"':
			text = data[:i]
			return text, data[i+1:], ascii || utf8.Valid(text)
		case c == '\\' || c < ' ':
			return nil, nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, nil, false
}

// readNumber reads a number by JSON's grammar; nil if there is none. What follows it is the caller's to judge.
//
//	-? ( 0 | [1-9] [0-9]* ) ( . [0-9]+ )? ( [eE] [+-]? [0-9]+ )?
func readNumber(data []byte) (number, rest []byte) {
	i := 0
	digits := func() bool {
		first := i
		for i < len(data) && '0' <= data[i] && data[i] <= '9' {
			i++
		}
		return i > first
	}
	if i < len(data) && data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if !digits() {
		return nil, nil
	}
	if i < len(data) && data[i] == '.' {
		i++
		if !digits() {
			return nil, nil
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if !digits() {
			return nil, nil
		}
	}
	return data[:i], data[i:]
}

// skipSimple passes over the value of an unknown key if it is a string, a number, or a word.
func skipSimple(data []byte) (rest []byte, ok bool) {
	if len(data) == 0 {
		return nil, false
	}
	switch data[0] {
	case '"':
		_, rest, ok = readString(data)
		return rest, ok
	case 't', 'f', 'n':
		for _, word := range []string{"true", "false", "null"} {
			if bytes.HasPrefix(data, []byte(word)) {
				return data[len(word):], true
			}
		}
		return nil, false
	}
	number, rest := readNumber(data)
	return rest, number != nil
}

// append writes a struct. If it gives up, dst is worth nothing.
func (s *jsonStruct) append(dst []byte, v reflect.Value) (out []byte, ok bool) {
	dst = append(dst, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		value := v.Field(f.index)
		if f.omitempty && f.empty(value) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if dst, ok = f.append(append(dst, f.prefix...), value); !ok {
			return nil, false
		}
	}
	return append(dst, '}'), true
}

// empty is encoding/json's idea of it: a struct never is.
func (f *jsonField) empty(v reflect.Value) bool {
	return f.kind != reflect.Struct && f.kind != timeKind && v.IsZero()
}

// append writes one value.
func (f *jsonField) append(dst []byte, v reflect.Value) (out []byte, ok bool) {
	switch f.kind {
	case reflect.String:
		return appendText(dst, v.String())
	case reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), true
	case reflect.Float32, reflect.Float64:
		return appendFloat(dst, v.Float(), f.bits)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(dst, v.Uint(), 10), true
	case reflect.Struct:
		return f.nested.append(dst, v)
	case timeKind:
		out, err := v.Addr().Interface().(*time.Time).AppendText(append(dst, '"'))
		return append(out, '"'), err == nil
	}
	return strconv.AppendInt(dst, v.Int(), 10), true
}

// appendText writes a string that needs no escapes.
func appendText(dst []byte, text string) (out []byte, ok bool) {
	for _, c := range []byte(text) {
		if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return nil, false
		}
	}
	dst = append(append(dst, '"'), text...)
	return append(dst, '"'), true
}

// appendFloat writes a number as encoding/json and JavaScript do: with an exponent only where it is very small or very large.
func appendFloat(dst []byte, x float64, bits int) (out []byte, ok bool) {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil, false
	}
	size := math.Abs(x)
	small, large := size < 1e-6, size >= 1e21
	if bits == 32 {
		small, large = float32(size) < 1e-6, float32(size) >= 1e21
	}
	if size == 0 || !small && !large {
		return strconv.AppendFloat(dst, x, 'f', -1, bits), true
	}
	return nil, false // rare: the exponent is written in a way of its own
}
