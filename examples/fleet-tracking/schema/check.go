package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Check returns how a JSON text differs from the form. A field that the form does not know is a difference.
func (v Value) Check(text []byte) error {
	var data any
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	return v.check("value", data)
}

func (v Value) check(path string, data any) error {
	if got := typeOf(data); got != v.Type && !(got == "integer" && v.Type == "number") {
		return fmt.Errorf("%s is of type %s, not %s", path, got, v.Type)
	}
	switch data := data.(type) {
	case string:
		if v.Enum != nil && !slices.Contains(v.Enum, data) {
			return fmt.Errorf("%s is %q, not one of %q", path, data, v.Enum)
		}
	case []any:
		if v.Length > 0 && len(data) != v.Length {
			return fmt.Errorf("%s has %d items, not %d", path, len(data), v.Length)
		}
		for i, item := range data {
			if err := v.Items.check(fmt.Sprintf("%s[%d]", path, i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		return v.checkFields(path, data)
	}
	return nil
}

func (v Value) checkFields(path string, data map[string]any) error {
	for name, value := range data {
		form := v.Names
		if i := slices.IndexFunc(v.Fields, func(f Field) bool { return f.Name == name }); i >= 0 {
			form = &v.Fields[i].Value
		}
		if form == nil {
			return fmt.Errorf("%s has a field %s", path, name)
		}
		if err := form.check(path+"."+name, value); err != nil {
			return err
		}
	}
	for _, f := range v.Fields {
		if _, ok := data[f.Name]; !ok && !f.Optional {
			return fmt.Errorf("%s has no field %s", path, f.Name)
		}
	}
	return nil
}

// typeOf is the type of a decoded value in words of JSON Schema.
func typeOf(data any) string {
	switch data := data.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if data == math.Trunc(data) {
			return "integer"
		}
	}
	return "number"
}
