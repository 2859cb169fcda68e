package topology

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/codec"
)

// format returns a function that formats encoded values for people: strings and JSON as they are, numbers in decimal,
// bytes in hexadecimal, windowed keys as key@start/size. Null is "null".
func format[T any](c codec.Codec[T]) func([]byte) string {
	return func(data []byte) string {
		if data == nil {
			return "null"
		}
		v, err := c.Decode(data)
		if err != nil {
			return fmt.Sprintf("(%v) %q", err, data)
		}
		if isJSON(c) {
			return string(data)
		}
		return show(v)
	}
}

func show(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return hex.EncodeToString(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case fmt.Stringer: // codec.WindowKey
		return v.String()
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprintf("%+v", v)
		}
		return string(text)
	}
}

// parse is the inverse of format, for text that people type. The text "null" is null. JSON is passed on unchecked, so
// that a script can also send invalid JSON.
func parse[T any](c codec.Codec[T]) func(string) ([]byte, error) {
	return func(text string) ([]byte, error) {
		if text == "null" {
			return nil, nil
		}
		if isJSON(c) {
			return []byte(text), nil
		}
		var v T
		switch p := any(&v).(type) {
		case *string:
			*p = text
		case *[]byte:
			data, err := hex.DecodeString(text)
			if err != nil {
				return nil, fmt.Errorf("%q is not hexadecimal", text)
			}
			*p = data
		default:
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				return nil, fmt.Errorf("%q is not a %T: %w", text, v, err)
			}
		}
		data, err := c.Append(nil, v)
		if data == nil && err == nil {
			data = []byte{} // empty is not null
		}
		return data, err
	}
}

func isJSON[T any](c codec.Codec[T]) bool { return strings.HasPrefix(c.String(), "json") }
