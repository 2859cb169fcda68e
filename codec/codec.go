package codec

import (
	"fmt"
)

// Codec encodes values of T as bytes and decodes them. A codec has no state and may be used by several goroutines at
// once.
type Codec[T any] interface {
	// Append appends the encoding of v to dst and returns the extended slice, as strconv.AppendInt does. Equal values
	// have equal encodings.
	Append(dst []byte, v T) ([]byte, error)

	// Decode decodes one value from all of data. The result does not alias data.
	Decode(data []byte) (T, error)

	// String names the codec in plans and errors: "string", "int64", "json[fleet.Position]", "windowed[string]".
	String() string
}

// sizeError is the error for data of the wrong size.
func sizeError(codec string, want, got int) error {
	return fmt.Errorf("codec: %s wants %d bytes, got %d", codec, want, got)
}
