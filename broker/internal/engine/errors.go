package engine

import (
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kerr"
)

// refusal is a protocol error with a message for the client.
type refusal struct {
	kind    *kerr.Error
	words   string
	records []int32 // indexes of the faulty records of a batch
}

func (r *refusal) Error() string { return r.words }
func (r *refusal) Unwrap() error { return r.kind }

// protocolError returns a protocol error with a message.
func protocolError(kind *kerr.Error, format string, args ...any) error {
	return &refusal{kind: kind, words: fmt.Sprintf(format, args...)}
}

// errNotAvailable is the answer to waiting requests when the broker closes; clients retry.
var errNotAvailable = kerr.CoordinatorNotAvailable

// code returns the error code of err, 0 for nil.
func code(err error) int16 {
	var known *kerr.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &known):
		return known.Code
	}
	return kerr.UnknownServerError.Code
}

// message returns the error message of a response, nil for no error.
func message(err error) *string {
	if err == nil {
		return nil
	}
	words := err.Error()
	return &words
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }
