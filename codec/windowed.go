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
	if len(data) < 8 {
		return WindowKey[K]{}, fmt.Errorf("codec: %s wants a key and 8 bytes of window start, got %d bytes", c, len(data))
	}
	split := len(data) - 8
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
