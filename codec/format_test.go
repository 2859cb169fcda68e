package codec_test

import (
	"testing"

	"github.com/rio-streams/rio/codec"
)

type (
	total  struct{ N int }
	pair   struct{ A, B map[string][]int }
	seller string
)

type ownFormat struct{ codec.Codec[string] }

func (ownFormat) String() string { return "mine of package x" }
func (ownFormat) Format() string { return "mine" }

func TestFormatIsThatOfTheBytes(t *testing.T) {
	for want, c := range map[string]interface{ String() string }{
		"string":           codec.String,
		"int64":            codec.Int64,
		"json":             codec.JSON[total](),
		"windowed[json]":   codec.Windowed(codec.JSON[map[string][]pair]()),
		"windowed[string]": codec.Windowed(codec.For[seller]()),
		"mine":             ownFormat{},
	} {
		if got := codec.Format(c); got != want {
			t.Errorf("the format of %s is %q, want %q", c, got, want)
		}
		if want != "mine" && codec.FormatOfName(c.String()) != want {
			t.Errorf("the format of the name %s is %q, want %q", c, codec.FormatOfName(c.String()), want)
		}
	}
	if got := codec.FormatOfName("key-value json[map[string]x.T[int]] → json[x.U]"); got != "key-value json → json" {
		t.Errorf("%q", got)
	}
}
