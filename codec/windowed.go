package codec

import (
	"encoding/binary"
	"fmt"
	"time"
)

// WindowKey is a key within a window of time: what a windowed table is keyed by.
type WindowKey[K any] struct {
	Key   K
	Start time.Time // first instant of the window, UTC, whole milliseconds
	End   time.Time // first instant after it, UTC; zero if the codec was not told the size of its windows
}

// String renders the key as golden files show it: key@start/size.
func (k WindowKey[K]) String() string {
	if k.End.IsZero() {
		return fmt.Sprintf("%v@%s", k.Key, k.Start.Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("%v@%s/%s", k.Key, k.Start.Format(time.RFC3339Nano), k.End.Sub(k.Start))
}

// WindowedKeys is what a codec of keys says of the windows in them. A codec whose keys contain windows implements it, and so does one
// that wraps such a codec, by passing the calls on: topology.Build refuses a codec of [WindowKey] that does not, because it
// cannot know where the window is in the bytes.
type WindowedKeys interface {
	// Windows says which windows the keys have.
	Windows() WindowShape

	// PlainKey returns the part of an encoded key that is there without the window. A record is placed by it, so that all
	// windows of a key are in the partition of the key. It does not copy.
	PlainKey(encoded []byte) []byte
}

// WindowShape says what windows a key can have.
type WindowShape struct {
	Kind WindowKind
	Size time.Duration // of every window; 0 if it is not known, or if they differ
}

// String returns "windows of 5m0s".
func (s WindowShape) String() string {
	switch {
	case s.Kind == NotWindowed:
		return "no windows"
	case s.Size == 0:
		return "windows"
	}
	return fmt.Sprintf("windows of %v", s.Size)
}

// Agrees reports whether a key of one shape can be one of the other, as far as it is known.
func (s WindowShape) Agrees(other WindowShape) bool {
	return s.Kind == other.Kind && (s.Size == other.Size || s.Size == 0 || other.Size == 0)
}

// WindowKind is how windows are named in a key.
type WindowKind uint8

const (
	NotWindowed WindowKind = iota
	ByStart                // by the start of the window, as TimeWindowedSerializer does: tumbling and hopping windows
)

// WindowedKeysOf returns what a codec of keys says of their windows; nil if its keys have none. It fails if the keys have windows
// by their type and the codec does not say where.
func WindowedKeysOf[T any](c Codec[T]) (WindowedKeys, error) {
	if w, ok := any(c).(WindowedKeys); ok {
		return w, nil
	}
	if _, ok := any(*new(T)).(interface{ windowedCodec() any }); ok {
		return nil, fmt.Errorf("codec %s has keys with windows and does not say where the window is: implement codec.WindowedKeys, which a codec around another passes on to it", c)
	}
	return nil, nil
}

// WindowedCodec is the codec of a key within a window. Its bytes are those of Kafka Streams' TimeWindowedSerializer; the end
// of the window is not written.
//
//	+-----------------+--------------------------+
//	| key             | start                    |
//	| by the key codec| ms since 1970, 8 bytes BE|
//	+-----------------+--------------------------+
//
// Make one with [Windowed].
type WindowedCodec[K any] struct {
	key  Codec[K]
	size time.Duration
}

// Windowed makes the codec of a key within a window from the codec of the key.
func Windowed[K any](key Codec[K]) WindowedCodec[K] { return WindowedCodec[K]{key: key} }

// Size returns the codec for windows of one known size, so that Decode can tell where a window ends.
func (c WindowedCodec[K]) Size(size time.Duration) WindowedCodec[K] {
	c.size = size
	return c
}

// Key returns the codec of the key without its window.
func (c WindowedCodec[K]) Key() Codec[K] { return c.key }

// Windows implements WindowedKeys.
func (c WindowedCodec[K]) Windows() WindowShape { return WindowShape{Kind: ByStart, Size: c.size} }

// PlainKey implements WindowedKeys. What is too short to have a window is all key.
func (c WindowedCodec[K]) PlainKey(encoded []byte) []byte {
	if len(encoded) < startSize {
		return encoded
	}
	return encoded[:len(encoded)-startSize]
}

// startSize is the size of the start of a window, in bytes.
const startSize = 8

// Append appends the key and then the start of the window.
func (c WindowedCodec[K]) Append(dst []byte, v WindowKey[K]) ([]byte, error) {
	dst, err := c.key.Append(dst, v.Key)
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v.Start.UnixMilli())), nil
}

// Decode reads a key and the start of its window. End is zero unless the codec knows the size of its windows.
func (c WindowedCodec[K]) Decode(data []byte) (WindowKey[K], error) {
	if len(data) < startSize {
		return WindowKey[K]{}, fmt.Errorf("codec: %s wants a key and 8 bytes of window start, got %d bytes", c, len(data))
	}
	split := len(data) - startSize
	key, err := c.key.Decode(data[:split])
	if err != nil {
		return WindowKey[K]{}, err
	}
	start := time.UnixMilli(int64(binary.BigEndian.Uint64(data[split:]))).UTC()
	k := WindowKey[K]{Key: key, Start: start}
	if c.size > 0 {
		k.End = start.Add(c.size)
	}
	return k, nil
}

// String is "windowed[" and the name of the key's codec and "]".
func (c WindowedCodec[K]) String() string { return "windowed[" + c.key.String() + "]" }
