package codec

import "strings"

// Format describes the bytes of a codec, in the form in which a store records it: "string", "int64", "json",
// "windowed[string]". It differs from String where that says more than the bytes: the name of a JSON codec contains the
// Go type, which a program may rename. A codec may have a method Format to return something other than its String.
func Format(c interface{ String() string }) string {
	if f, ok := c.(interface{ Format() string }); ok {
		return f.Format()
	}
	return c.String()
}

// Format is "json", whatever the type: JSON names its fields, and decoding fails where they do not fit.
func (c *jsonCodec[T]) Format() string { return "json" }

// Format is like String with the format of the key's codec.
func (c WindowedCodec[K]) Format() string { return c.kind() + "[" + Format(c.key) + "]" }

// FormatOfName returns the Format of a codec of this package, given its String, which is what stores recorded before
// Format existed. It replaces each "json[…]" by "json".
func FormatOfName(name string) string {
	const json = "json["
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(name, json)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("json")
		name = afterBracket(rest)
	}
}

// afterBracket returns the text after the matching closing bracket.
func afterBracket(text string) string {
	open := 1
	for i, c := range text {
		switch c {
		case '[':
			open++
		case ']':
			open--
		}
		if open == 0 {
			return text[i+1:]
		}
	}
	return ""
}
