package topology

import (
	"strings"
	"testing"

	"github.com/rio-streams/rio/codec"
)

// TestChangeCodec: changes have the bytes of Kafka Streams' ChangedSerializer, and are decoded again.
func TestChangeCodec(t *testing.T) {
	c := changeCodec[string]{codec.String}
	long := strings.Repeat("n", 100)
	for bytes, change := range map[string]changed[string]{
		"a3\x00":                    {old: "a3", had: true},
		"b\x01":                     {new: "b", has: true},
		"\x00":                      {had: true},
		"\x01":                      {has: true},
		"\x04a3a1\x02":              {old: "a1", new: "a3", had: true, has: true},
		"\x00\x02":                  {had: true, has: true},
		"\xc8\x01" + long + "x\x02": {old: "x", new: long, had: true, has: true},
	} {
		got, err := c.Append([]byte("before"), change)
		if err != nil || string(got) != "before"+bytes {
			t.Errorf("%v: %q, %v; want %q", change, got, err, bytes)
		}
		for _, data := range []string{bytes, bytes[:len(bytes)-1] + "\x01" + string(bytes[len(bytes)-1]+3)} {
			if got, err := c.Decode([]byte(data)); err != nil || got != change {
				t.Errorf("%q: %+v, %v; want %+v", data, got, err, change)
			}
		}
	}
	for _, bad := range []string{"", "\x03", "\x05", "a\x06", "a\xff", "\x02", "\x0aab\x02", "\x01ab\x02", "\x80\x02"} {
		if got, err := c.Decode([]byte(bad)); err == nil {
			t.Errorf("%q is decoded as %+v", bad, got)
		}
	}
}
