package topology

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

var (
	readsJSON = reflect.TypeFor[json.Unmarshaler]()
	readsText = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// unreadable says why encoding/json cannot decode a value of type t from its own output; empty if it can. Fields that
// JSON omits by rule, unexported ones and those tagged "-", do not count.
func unreadable(t reflect.Type, path string, seen map[reflect.Type]bool) string {
	if seen[t] {
		return ""
	}
	seen[t] = true
	if p := reflect.PointerTo(t); p.Implements(readsJSON) || p.Implements(readsText) {
		return ""
	}
	if _, ok := reflect.PointerTo(t).MethodByName("ProtoReflect"); ok {
		return path + " is a protobuf message"
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Sprintf("%s is the interface %v", path, t)
		}
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Sprintf("%s is a %v", path, t.Kind())
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return unreadable(t.Elem(), path, seen)
	case reflect.Map:
		if why := unreadableKey(t.Key(), path); why != "" {
			return why
		}
		return unreadable(t.Elem(), path, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if (field.IsExported() || field.Anonymous) && field.Tag.Get("json") != "-" {
				if why := unreadable(field.Type, path+"."+field.Name, seen); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

// unreadableKey says why encoding/json cannot encode a map's keys.
func unreadableKey(t reflect.Type, path string) string {
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return ""
	}
	if reflect.PointerTo(t).Implements(readsText) {
		return ""
	}
	return fmt.Sprintf("%s is a map with keys of type %v, which JSON cannot encode", path, t)
}
