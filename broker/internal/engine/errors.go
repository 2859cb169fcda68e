package engine

import (
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kerr"
)

// refusal is an error of the protocol with words for the client.
type refusal struct {
	kind    *kerr.Error
	words   string
	records []int32 // the records of a batch that are wrong, by their place
}

func (r *refusal) Error() string { return r.words }
func (r *refusal) Unwrap() error { return r.kind }

// say makes an error of the protocol that says what is wrong.
func say(kind *kerr.Error, format string, args ...any) error {
	return &refusal{kind: kind, words: fmt.Sprintf(format, args...)}
}

// errNotAvailable answers those who wait when the broker closes; clients come back.
var errNotAvailable = kerr.CoordinatorNotAvailable

// code is the number of an error in answers, 0 for none.
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

// message is what an answer says of an error, nil for none.
func message(err error) *string {
	if err == nil {
		return nil
	}
	words := err.Error()
	return &words
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }
