package codec

import (
	"encoding/binary"
	"fmt"
	"time"
)

// WindowKey is a key together with a time window: the key type of a windowed table.
type WindowKey[K any] struct {
	Key   K
	Start time.Time // start of the window (inclusive), UTC, whole milliseconds
	End   time.Time // end of the window (exclusive), UTC; zero if the codec does not know the window size
}

// String formats the key as key@start/size.
func (k WindowKey[K]) String() string {
	if k.End.IsZero() {
		return fmt.Sprintf("%v@%s", k.Key, k.Start.Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("%v@%s/%s", k.Key, k.Start.Format(time.RFC3339Nano), k.End.Sub(k.Start))
}

// WindowedKeys is implemented by codecs whose keys contain windows. A codec that wraps such a codec must implement it
// too, by passing the calls on: topology.Build rejects a codec of [WindowKey] that does not, because it cannot know
// where the window is in the bytes.
type WindowedKeys interface {
	// Windows describes the windows of the keys.
	Windows() WindowShape

	// PlainKey returns the part of an encoded key without the window. It determines the partition, so that all windows
	// of a key are in the partition of the key. It does not copy.
	PlainKey(encoded []byte) []byte
}

// WindowShape describes the windows of a key codec.
type WindowShape struct {
	Kind WindowKind
	Size time.Duration // size of every window; 0 if unknown or variable
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

// Agrees reports whether two shapes are compatible, as far as they are known.
func (s WindowShape) Agrees(other WindowShape) bool {
	return s.Kind == other.Kind && (s.Size == other.Size || s.Size == 0 || other.Size == 0)
}

// WindowKind is how a key identifies its window.
type WindowKind uint8

const (
	NotWindowed WindowKind = iota
	ByStart                // by its start, as TimeWindowedSerializer does: tumbling and hopping windows
)

// WindowedKeysOf returns the WindowedKeys of a codec; nil if its keys have no windows. It fails if the key type has
// windows but the codec does not say where they are.
func WindowedKeysOf[T any](c Codec[T]) (WindowedKeys, error) {
	if w, ok := any(c).(WindowedKeys); ok {
		return w, nil
	}
	if _, ok := any(*new(T)).(interface{ windowedCodec() any }); ok {
		return nil, fmt.Errorf("codec %s has keys with windows but does not say where the window is: implement codec.WindowedKeys; a codec that wraps another passes its calls on", c)
	}
	return nil, nil
}

// WindowedCodec is the codec of a key with a window. Its bytes are those of Kafka Streams' TimeWindowedSerializer; the
// end of the window is not written.
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

// Windowed returns the codec of a key with a window, given the codec of the key.
func Windowed[K any](key Codec[K]) WindowedCodec[K] { return WindowedCodec[K]{key: key} }

// Size returns the codec for windows of a fixed size, so that Decode can compute the end of a window.
func (c WindowedCodec[K]) Size(size time.Duration) WindowedCodec[K] {
	c.size = size
	return c
}

// Key returns the codec of the key without its window.
func (c WindowedCodec[K]) Key() Codec[K] { return c.key }

// Windows implements WindowedKeys.
func (c WindowedCodec[K]) Windows() WindowShape { return WindowShape{Kind: ByStart, Size: c.size} }

// PlainKey implements WindowedKeys. Bytes too short to contain a window are all key.
func (c WindowedCodec[K]) PlainKey(encoded []byte) []byte {
	if len(encoded) < startSize {
		return encoded
	}
	return encoded[:len(encoded)-startSize]
}

// startSize is the size of the start of a window, in bytes.
const startSize = 8

// Append appends the key and the start of the window.
func (c WindowedCodec[K]) Append(dst []byte, v WindowKey[K]) ([]byte, error) {
	dst, err := c.key.Append(dst, v.Key)
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v.Start.UnixMilli())), nil
}

// Decode decodes a key and the start of its window. End is zero unless the codec knows the window size.
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

// String returns "windowed[", the name of the key's codec and "]".
func (c WindowedCodec[K]) String() string { return "windowed[" + c.key.String() + "]" }
