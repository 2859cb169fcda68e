package schema

import (
	"fmt"
	"strings"
)

// Table returns the fields of an object as a table in Markdown. Those of objects inside have their path as a name, with [] for the items
// of an array.
func (v Value) Table() string {
	var out strings.Builder
	out.WriteString("| field | type | meaning |\n| --- | --- | --- |\n")
	v.rows(&out, "")
	return out.String()
}

func (v Value) rows(out *strings.Builder, path string) {
	for _, f := range v.Fields {
		optional := ""
		if f.Optional {
			optional = "?"
		}
		fmt.Fprintf(out, "| `%s`%s | %s | %s |\n", path+f.Name, optional, f.Value.words(), strings.ReplaceAll(f.Text, "|", `\|`))
		inside, name := f.Value, path+f.Name
		for inside.Items != nil {
			inside, name = *inside.Items, name+"[]"
		}
		inside.rows(out, name+".")
	}
}

// words tells the type.
func (v Value) words() string {
	switch {
	case v.Length > 0:
		return fmt.Sprintf("array of %d: %s", v.Length, v.Items.words())
	case v.Items != nil:
		return "array of " + v.Items.words()
	case v.Names != nil:
		return "object: name → " + v.Names.words()
	case v.Enum != nil:
		return "one of `" + strings.Join(v.Enum, "`, `") + "`"
	case v.Unit != "":
		return v.Type + ", " + v.Unit
	}
	return v.Type
}
