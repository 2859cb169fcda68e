package codec

import (
	"fmt"
)

// Codec turns values of T into bytes and back. A codec has no state and may be used by several goroutines at once.
type Codec[T any] interface {
	// Append appends the encoding of v to dst and returns the extended slice, as strconv.AppendInt does. Equal values
	// have equal encodings.
	Append(dst []byte, v T) ([]byte, error)

	// Decode reads one value from all of data. The result does not alias data.
	Decode(data []byte) (T, error)

	// String names the codec in plans and errors: "string", "int64", "json[fleet.Position]", "windowed[string]". A store
	// remembers it and refuses to open under another name.
	String() string
}

// sizeError says that data of a fixed size has another one.
func sizeError(codec string, want, got int) error {
	return fmt.Errorf("codec: %s wants %d bytes, got %d", codec, want, got)
}
