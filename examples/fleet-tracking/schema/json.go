package schema

// JSON returns the form as a JSON Schema, to be encoded.
func (v Value) JSON() map[string]any {
	s := map[string]any{"type": v.Type}
	if v.Enum != nil {
		s["enum"] = v.Enum
	}
	if v.Items != nil {
		s["items"] = v.Items.JSON()
	}
	if v.Length > 0 {
		s["minItems"], s["maxItems"] = v.Length, v.Length
	}
	if v.Names != nil {
		s["additionalProperties"] = v.Names.JSON()
	}
	if v.Fields == nil {
		return s
	}
	properties, required := map[string]any{}, []string{}
	for _, f := range v.Fields {
		property := f.Value.JSON()
		property["description"] = f.describe()
		properties[f.Name] = property
		if !f.Optional {
			required = append(required, f.Name)
		}
	}
	s["properties"], s["required"] = properties, required
	return s
}

// describe returns the text with the unit.
func (f Field) describe() string {
	if f.Value.Unit == "" {
		return f.Text
	}
	return f.Text + " [" + f.Value.Unit + "]"
}
