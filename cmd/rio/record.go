package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rio-streams/rio/kafka"
)

// A jsonRecord is a record as one line of JSON, as consume prints it and produce reads it:
//
//	{"partition":0,"offset":7,"timestamp":1767254400000,"key":"ana","value":"{\"valor\":10}"}
//
// A key or value is a string, or null. If it is not UTF-8, it is in keyBase64 or valueBase64 instead. Produce also
// accepts any other JSON as the value, which is then its text, a time in RFC 3339, and headers as an object; it ignores
// topic and offset.
type jsonRecord struct {
	Topic       string          `json:"topic,omitempty"`
	Partition   *int32          `json:"partition,omitempty"`
	Offset      *int64          `json:"offset,omitempty"`
	Timestamp   json.RawMessage `json:"timestamp,omitempty"` // milliseconds since 1970
	Key         json.RawMessage `json:"key,omitempty"`
	KeyBase64   []byte          `json:"keyBase64,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
	Headers     json.RawMessage `json:"headers,omitempty"`
}

// A jsonHeader is one header; a record may have several with the same key.
type jsonHeader struct {
	Key         string          `json:"key"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
}

// encodeRecord returns a record as a line of JSON.
func encodeRecord(partition int32, r *kafka.Record) jsonRecord {
	j := jsonRecord{
		Partition: &partition,
		Offset:    &r.Offset,
		Timestamp: strconv.AppendInt(nil, r.Timestamp, 10),
	}
	j.Key, j.KeyBase64 = encodeBytes(r.Key)
	j.Value, j.ValueBase64 = encodeBytes(r.Value)
	if len(r.Headers) > 0 {
		headers := make([]jsonHeader, len(r.Headers))
		for i, h := range r.Headers {
			headers[i].Key = h.Key
			headers[i].Value, headers[i].ValueBase64 = encodeBytes(h.Value)
		}
		j.Headers = plainJSON(headers)
	}
	return j
}

// encodeBytes returns data as a JSON string, or null; if it is not UTF-8, it returns raw bytes.
func encodeBytes(data []byte) (text json.RawMessage, raw []byte) {
	switch {
	case data == nil:
		return json.RawMessage("null"), nil
	case !utf8.Valid(data):
		return nil, data
	}
	return plainJSON(string(data)), nil
}

// plainJSON encodes a value that always has a JSON form, without escaping <, > and &.
func plainJSON(value any) json.RawMessage {
	var out bytes.Buffer
	if err := printJSON(&out, value); err != nil {
		panic(err) // strings and headers always have a JSON form
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// decodeRecord decodes a line of JSON. partition is nil if the line has none.
func decodeRecord(line []byte, now int64) (r kafka.Record, partition *int32, err error) {
	var j jsonRecord
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&j); err != nil {
		return r, nil, fmt.Errorf("not a record in JSON: %w", plainError(err))
	}
	if rest := bytes.TrimSpace(line[decoder.InputOffset():]); len(rest) > 0 {
		return r, nil, fmt.Errorf("unexpected text after the record: %q", abbreviated(rest))
	}
	var errs []error
	note := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	r.Key, err = decodeBytes(j.Key, j.KeyBase64)
	note("key", err)
	r.Value, err = decodeBytes(j.Value, j.ValueBase64)
	note("value", err)
	r.Headers, err = decodeHeaders(j.Headers)
	note("headers", err)
	r.Timestamp, err = decodeTimestamp(j.Timestamp, now)
	note("timestamp", err)
	return r, j.Partition, errors.Join(errs...)
}

// plainError rewrites a JSON error without Go's type names.
func plainError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field == "" {
		return fmt.Errorf("want an object such as {\"key\":\"k\",\"value\":\"v\"}, not a JSON %s", wrong.Value)
	}
	if errors.As(err, &wrong) {
		return fmt.Errorf("field %s cannot be a JSON %s", wrong.Field, wrong.Value)
	}
	return err
}

// abbreviated truncates text for an error message.
func abbreviated(text []byte) []byte { return text[:min(len(text), 40)] }

// decodeBytes returns a string's bytes, nil for null or a missing field, and the text of any other JSON.
func decodeBytes(text json.RawMessage, raw []byte) ([]byte, error) {
	if raw != nil {
		if len(text) > 0 && string(text) != "null" {
			return nil, errors.New("it is given twice: as text and in base64")
		}
		return raw, nil
	}
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	if text[0] != '"' {
		return text, nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	return []byte(s), nil
}

// decodeHeaders decodes [{"key":"a","value":"b"}] or {"a":"b"}; the names of an object keep their order.
func decodeHeaders(text json.RawMessage) ([]kafka.Header, error) {
	var list []jsonHeader
	switch {
	case len(text) == 0 || string(text) == "null":
		return nil, nil
	case text[0] == '[':
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, plainError(err)
		}
	default:
		var object map[string]json.RawMessage
		if err := json.Unmarshal(text, &object); err != nil {
			return nil, errors.New(`want {"name":"value"} or [{"key":"name","value":"value"}]`)
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			list = append(list, jsonHeader{Key: name, Value: object[name]})
		}
	}
	headers := make([]kafka.Header, len(list))
	for i, h := range list {
		value, err := decodeBytes(h.Value, h.ValueBase64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Key, err)
		}
		headers[i] = kafka.Header{Key: h.Key, Value: value}
	}
	return headers, nil
}

// decodeTimestamp decodes milliseconds since 1970, or a time such as "2026-01-01T08:50:00Z".
func decodeTimestamp(text json.RawMessage, now int64) (int64, error) {
	if len(text) == 0 || string(text) == "null" {
		return now, nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err == nil {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return 0, fmt.Errorf("%q is not a time such as 2026-01-01T08:50:00Z", s)
		}
		return t.UnixMilli(), nil
	}
	ms, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || ms < 0 {
		return 0, fmt.Errorf("%s is not a number of milliseconds since 1970", text)
	}
	return ms, nil
}
