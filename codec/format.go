package codec

import "strings"

// Format says what the bytes of a codec are, in the words in which a store remembers it: "string", "int64", "json",
// "windowed[string]". It differs from the name of the codec where that says more than the bytes: the name of a JSON codec
// has the Go type in it, and a program may rename its types. A codec of one's own has a method Format if it wants
// another answer than its String.
func Format(c interface{ String() string }) string {
	if f, ok := c.(interface{ Format() string }); ok {
		return f.Format()
	}
	return c.String()
}

// Format is "json", whatever the type: the bytes name their fields, and decoding fails where they do not fit.
func (c *jsonCodec[T]) Format() string { return "json" }

// Format is that of the key's codec within "windowed[" and "]".
func (c WindowedCodec[K]) Format() string { return "windowed[" + Format(c.key) + "]" }

// FormatOfName returns the Format of one of the codecs of this package, given its String: that is what stores remembered
// before there was a Format. It replaces each "json[…]" in the text by "json".
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

// afterBracket returns what is behind the bracket that closes text.
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
