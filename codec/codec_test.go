package codec_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
)

// encodes checks the bytes of a value, that they decode to it, that Append appends, and that the value does not alias the bytes.
func encodes[T any](t *testing.T, c codec.Codec[T], name string, v T, want string) {
	t.Helper()
	if c.String() != name {
		t.Errorf("the name of the codec is %q, want %q", c, name)
	}
	data, err := c.Append([]byte{0xee}, v)
	if got := hex.EncodeToString(data[1:]); got != want || data[0] != 0xee || err != nil {
		t.Errorf("%s: Append(%v) = %s, %v; want %s", c, v, got, err, want)
	}
	got, err := c.Decode(data[1:])
	clear(data)
	if !reflect.DeepEqual(got, v) || err != nil {
		t.Errorf("%s: Decode = %v, %v; want %v", c, got, err, v)
	}
}

type (
	celsius float32
	meters  int
	label   string
	blob    []byte
)

func TestBytes(t *testing.T) {
	encodes(t, codec.String, "string", "rio é", "72696f20c3a9")
	encodes(t, codec.String, "string", "", "")
	encodes(t, codec.Bytes, "bytes", []byte{0, 1}, "0001")
	encodes(t, codec.Int64, "int64", -2, "fffffffffffffffe")
	encodes(t, codec.Float64, "float64", 1.5, "3ff8000000000000")

	encodes(t, codec.For[string](), "string", "a", "61")
	encodes(t, codec.For[int64](), "int64", 1, "0000000000000001")
	encodes(t, codec.For[int](), "int64", -1, "ffffffffffffffff")
	encodes(t, codec.For[int32](), "int32", -2, "fffffffe")
	encodes(t, codec.For[int16](), "int16", -2, "fffe")
	encodes(t, codec.For[float64](), "float64", -0.5, "bfe0000000000000")
	encodes(t, codec.For[float32](), "float32", 1.5, "3fc00000")
	encodes(t, codec.For[[]byte](), "bytes", []byte("x"), "78")
	encodes(t, codec.For[celsius](), "float32", 1.5, "3fc00000")
	encodes(t, codec.For[meters](), "int64", 3, "0000000000000003")
	encodes(t, codec.For[time.Duration](), "int64", 3, "0000000000000003")
	encodes(t, codec.For[label](), "string", "x", "78")
	encodes(t, codec.For[blob](), "bytes", blob("x"), "78")
	encodes(t, codec.For[bool](), "json[bool]", true, hex.EncodeToString([]byte("true")))
	encodes(t, codec.For[position](), "json[codec_test.position]", onePosition, hex.EncodeToString([]byte(positionText)))

	nan, _ := codec.Float64.Append(nil, math.Float64frombits(0xfff8000000000001))
	if hex.EncodeToString(nan) != "7ff8000000000000" {
		t.Errorf("NaN is encoded as %x", nan)
	}
}

func TestWindowed(t *testing.T) {
	start := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	c := codec.Windowed(codec.String)
	key := codec.WindowKey[string]{Key: "ana", Start: start}
	encodes(t, c, "windowed[string]", key, "616e610000019b78921c00")
	encodes(t, codec.For[codec.WindowKey[string]](), "windowed[string]", key, "616e610000019b78921c00")
	encodes(t, codec.For[codec.WindowKey[codec.WindowKey[meters]]](), "windowed[windowed[int64]]",
		codec.WindowKey[codec.WindowKey[meters]]{Key: codec.WindowKey[meters]{Key: 1, Start: start}, Start: start},
		"00000000000000010000019b78921c000000019b78921c00")

	session := codec.WindowKey[string]{Key: "ana", Start: start, End: start.Add(time.Second)}
	encodes(t, c.Sessions(), "sessions[string]", session, "616e610000019b78921fe80000019b78921c00")
	if plain := c.Sessions().PlainKey([]byte("ana0123456701234567")); string(plain) != "ana" {
		t.Errorf("the plain key of a session is %q", plain)
	}

	key.End = start.Add(time.Hour)
	encodes(t, c.Size(time.Hour), "windowed[string]", key, "616e610000019b78921c00")
	if key.String() != "ana@2026-01-01T08:00:00Z/1h0m0s" {
		t.Errorf("a key is shown as %s", key)
	}
}

func TestErrors(t *testing.T) {
	_, tooShort := codec.Int64.Decode([]byte("abc"))
	_, tooLong := codec.Float64.Decode(make([]byte, 9))
	_, noStart := codec.Windowed(codec.String).Decode([]byte("abc"))
	_, noEnd := codec.Windowed(codec.String).Sessions().Decode(make([]byte, 15))
	_, badKey := codec.Windowed(codec.Int64).Decode(make([]byte, 11))
	_, small := codec.For[int32]().Decode(nil)
	_, badJSON := codec.JSON[position]().Decode([]byte(`{"lat":"north"}`))
	for want, err := range map[string]error{
		"codec: int64 wants 8 bytes, got 3":                                                 tooShort,
		"codec: float64 wants 8 bytes, got 9":                                               tooLong,
		"codec: windowed[string] wants a key and 8 bytes of window start, got 3":            noStart,
		"codec: sessions[string] wants a key and 16 bytes of session end and start, got 15": noEnd,
		"codec: int64 wants 8 bytes, got 3 ":                                                badKey,
		"codec: int32 wants 4 bytes, got 0":                                                 small,
		"codec: json[codec_test.position]: json: cannot unmarshal string":                   badJSON,
	} {
		if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// FuzzDecode looks for data that a codec decodes but does not encode to the same bytes again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("12345678"))
	f.Add([]byte("123456781234"))
	f.Fuzz(func(t *testing.T, data []byte) {
		again(t, codec.String, data)
		again(t, codec.Bytes, data)
		again(t, codec.Int64, data)
		again(t, codec.Windowed(codec.String).Size(time.Minute), data)
		again(t, codec.Windowed(codec.String).Sessions(), data)
		again(t, codec.For[int16](), data)
	})
}

func again[T any](t *testing.T, c codec.Codec[T], data []byte) {
	v, err := c.Decode(data)
	if err != nil {
		return
	}
	if got, err := c.Append(nil, v); !bytes.Equal(got, data) || err != nil {
		t.Errorf("%s: %x becomes %x, %v", c, data, got, err)
	}
}
