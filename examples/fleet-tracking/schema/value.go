package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Value is the form of a JSON value.
type Value struct {
	Type   string   // in words of JSON Schema: object, array, string, integer, number or boolean
	Unit   string   // of a number of a type of its own, such as "s"
	Enum   []string // the values of a string, if there are no others
	Fields []Field  // of an object, in their order
	Names  *Value   // of an object whose names are data: the form of each value
	Items  *Value   // of an array
	Length int      // of an array that always has as many items
}

// Field is a field of an object.
type Field struct {
	Name     string
	Value    Value
	Optional bool   // left out when it would be 0, empty or false
	Text     string // what it means
}

// Describer describes types.
type Describer struct {
	Comments Comments
	Own      map[reflect.Type]Value // of types that write JSON in their own way, or have a unit
	Glossary map[string]string      // what a field means that has no comment, by its name in JSON
}

// Describe returns the form of the values of a type, as encoding/json writes them.
func (d Describer) Describe(t reflect.Type) (Value, error) {
	if own, ok := d.Own[t]; ok {
		return own, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.Describe(t.Elem())
	case reflect.Bool:
		return Value{Type: "boolean"}, nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		return Value{Type: "integer"}, nil
	case reflect.Float64:
		return Value{Type: "number"}, nil
	case reflect.String:
		return Value{Type: "string", Enum: d.Comments.values[t.String()]}, nil
	case reflect.Slice, reflect.Array:
		items, err := d.Describe(t.Elem())
		v := Value{Type: "array", Items: &items}
		if t.Kind() == reflect.Array {
			v.Length = t.Len()
		}
		return v, err
	case reflect.Map:
		values, err := d.Describe(t.Elem())
		return Value{Type: "object", Names: &values}, err
	case reflect.Struct:
		fields, err := d.fields(t)
		return Value{Type: "object", Fields: fields}, err
	}
	return Value{}, fmt.Errorf("schema: %v: JSON of this kind of type is not described", t)
}

// fields tells all mistakes at once.
func (d Describer) fields(t reflect.Type) (all []Field, err error) {
	var mistakes []error
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous:
			embedded, err := d.fields(f.Type)
			mistakes = append(mistakes, err)
			all = append(all, slices.DeleteFunc(embedded, func(f Field) bool { return hides(t, f.Name) })...)
		case f.IsExported():
			field, err := d.field(t, f)
			mistakes = append(mistakes, err)
			all = append(all, field)
		}
	}
	return all, errors.Join(mistakes...)
}

// hides reports whether a struct has a field of its own that hides one of the same name of an embedded struct.
func hides(t reflect.Type, name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		return len(f.Index) == 1 && !f.Anonymous && jsonName(f) == name
	})
}

func (d Describer) field(owner reflect.Type, f reflect.StructField) (Field, error) {
	value, err := d.Describe(f.Type)
	_, rules, _ := strings.Cut(f.Tag.Get("json"), ",")
	field := Field{Name: jsonName(f), Value: value, Optional: rules == "omitempty", Text: d.Comments.of(owner, f.Name)}
	if field.Text == "" {
		field.Text = d.Glossary[field.Name]
	}
	if field.Text == "" {
		err = errors.Join(err, fmt.Errorf("schema: %v.%s has no comment, and %q is not in the glossary", owner, f.Name, field.Name))
	}
	return field, err
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}
