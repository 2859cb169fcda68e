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

	// End is the end of the window (exclusive), UTC; zero if the codec does not know the window size. Of a session it is
	// the time of the last record, and of a sliding window the last millisecond: these ends are inclusive.
	End time.Time
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
	Rule string        // describes windows of variable size, such as "daily in Europe/Lisbon"; empty if unknown
}

// String returns "windows of 5m0s".
func (s WindowShape) String() string {
	switch {
	case s.Kind == NotWindowed:
		return "no windows"
	case s.Kind == ByEndAndStart:
		return "sessions"
	case s.Rule != "":
		return "windows " + s.Rule
	case s.Size == 0:
		return "windows"
	}
	return fmt.Sprintf("windows of %v", s.Size)
}

// Agrees reports whether two shapes are compatible, as far as they are known.
func (s WindowShape) Agrees(other WindowShape) bool {
	if s.Rule != "" && other.Size != 0 || s.Size != 0 && other.Rule != "" { // of variable size, and of one size
		return false
	}
	return s.Kind == other.Kind && (s.Size == other.Size || s.Size == 0 || other.Size == 0) &&
		(s.Rule == other.Rule || s.Rule == "" || other.Rule == "")
}

// WindowKind is how a key identifies its window.
type WindowKind uint8

const (
	NotWindowed   WindowKind = iota
	ByStart                  // by its start, as TimeWindowedSerializer does: all windows but sessions
	ByEndAndStart            // by its end and its start, as SessionWindowedSerializer does: sessions
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
// For sessions they are those of its SessionWindowedSerializer:
//
//	+-----------------+--------------------------+--------------------------+
//	| key             | end                      | start                    |
//	| by the key codec| ms since 1970, 8 bytes BE| ms since 1970, 8 bytes BE|
//	+-----------------+--------------------------+--------------------------+
//
// Make one with [Windowed].
type WindowedCodec[K any] struct {
	key      Codec[K]
	size     time.Duration
	sessions bool
	ends     *ends // of windows of variable size
}

// ends says where windows of variable size end.
type ends struct {
	rule string
	of   func(start time.Time) time.Time
}

// Windowed returns the codec of a key with a window, given the codec of the key.
func Windowed[K any](key Codec[K]) WindowedCodec[K] { return WindowedCodec[K]{key: key} }

// Size returns the codec for windows of a fixed size, so that Decode can compute the end of a window.
func (c WindowedCodec[K]) Size(size time.Duration) WindowedCodec[K] {
	c.size = size
	return c
}

// Ends returns the codec for windows of variable size, so that Decode can compute the end of a window. The rule describes
// them, such as "daily in Europe/Lisbon"; end may be called by several goroutines at once.
func (c WindowedCodec[K]) Ends(rule string, end func(start time.Time) time.Time) WindowedCodec[K] {
	c.size, c.ends = 0, &ends{rule, end}
	return c
}

// Sessions returns the codec for sessions, which writes the end, too.
func (c WindowedCodec[K]) Sessions() WindowedCodec[K] {
	c.size, c.sessions = 0, true
	return c
}

// EndOf returns the end of the window with a start; zero if the codec does not know the size of the windows, or is for
// sessions.
func (c WindowedCodec[K]) EndOf(start time.Time) time.Time {
	switch {
	case c.ends != nil:
		return c.ends.of(start)
	case c.size > 0:
		return start.Add(c.size)
	}
	return time.Time{}
}

// Key returns the codec of the key without its window.
func (c WindowedCodec[K]) Key() Codec[K] { return c.key }

// Windows implements WindowedKeys.
func (c WindowedCodec[K]) Windows() WindowShape {
	if c.sessions {
		return WindowShape{Kind: ByEndAndStart}
	}
	if c.ends != nil {
		return WindowShape{Kind: ByStart, Rule: c.ends.rule}
	}
	return WindowShape{Kind: ByStart, Size: c.size}
}

// PlainKey implements WindowedKeys. Bytes too short to contain a window are all key.
func (c WindowedCodec[K]) PlainKey(encoded []byte) []byte {
	if len(encoded) < c.tail() {
		return encoded
	}
	return encoded[:len(encoded)-c.tail()]
}

// tail returns the size of the window in an encoded key.
func (c WindowedCodec[K]) tail() int {
	if c.sessions {
		return 2 * timeSize
	}
	return timeSize
}

// timeSize is the size of the start or the end of a window, in bytes.
const timeSize = 8

// Append appends the key and the window.
func (c WindowedCodec[K]) Append(dst []byte, v WindowKey[K]) ([]byte, error) {
	dst, err := c.key.Append(dst, v.Key)
	if err != nil {
		return dst, err
	}
	if c.sessions {
		dst = binary.BigEndian.AppendUint64(dst, uint64(v.End.UnixMilli()))
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v.Start.UnixMilli())), nil
}

// Decode decodes a key and its window. End is zero unless the codec is for sessions or knows the window size.
func (c WindowedCodec[K]) Decode(data []byte) (WindowKey[K], error) {
	split := len(data) - c.tail()
	if split < 0 {
		return WindowKey[K]{}, fmt.Errorf("codec: %s wants a key and %s, got %d bytes", c, c.wants(), len(data))
	}
	key, err := c.key.Decode(data[:split])
	if err != nil {
		return WindowKey[K]{}, err
	}
	k := WindowKey[K]{Key: key, Start: readTime(data[len(data)-timeSize:])}
	if k.End = c.EndOf(k.Start); c.sessions {
		k.End = readTime(data[split:])
	}
	return k, nil
}

// wants describes the bytes after the key.
func (c WindowedCodec[K]) wants() string {
	if c.sessions {
		return "16 bytes of session end and start"
	}
	return "8 bytes of window start"
}

func readTime(data []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(data))).UTC()
}

// String returns "windowed[" or "sessions[", the name of the key's codec and "]".
func (c WindowedCodec[K]) String() string { return c.kind() + "[" + c.key.String() + "]" }

func (c WindowedCodec[K]) kind() string {
	if c.sessions {
		return "sessions"
	}
	return "windowed"
}
