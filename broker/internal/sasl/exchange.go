package sasl

import (
	"errors"
	"fmt"
)

var (
	// ErrMechanism: the mechanism is not one of Mechanisms.
	ErrMechanism = errors.New("unknown mechanism")
	// ErrRefused: the user is unknown or the password is wrong; the error does not say which. Or the client asked to
	// act as another user than it logs in as.
	ErrRefused = errors.New("wrong user or password")
	// ErrMalformed: the message does not follow the mechanism.
	ErrMalformed = errors.New("malformed message")
)

// maxMessage is the largest message in bytes, Kafka's sasl.server.max.receive.size. It bounds the work for a client
// that is not logged in.
const maxMessage = 512 << 10

// Exchange is one login.
type Exchange struct {
	mechanism    string
	conversation conversation
	over         bool // logged in, or an error was returned
	user         string
}

// conversation is one login with one mechanism. step is called until it returns a user or an error.
type conversation interface {
	step(client string) (answer, user string, err error)
}

// Step takes a message of the client and returns the answer. When done is true, the client is logged in as User, and
// the answer is the last one. An error, ErrRefused or ErrMalformed, ends the exchange without an answer of the
// mechanism. A message after the end is an error too; it does not change User.
func (e *Exchange) Step(client []byte) (answer []byte, done bool, err error) {
	text, user, err := e.step(client)
	e.over = err != nil || user != ""
	if err != nil {
		return nil, false, fmt.Errorf("sasl: %s: %w", e.mechanism, err)
	}
	e.user = user
	return []byte(text), e.over, nil
}

func (e *Exchange) step(client []byte) (answer, user string, err error) {
	switch {
	case e.over:
		return "", "", fmt.Errorf("%w: the exchange is over", ErrMalformed)
	case len(client) > maxMessage:
		return "", "", fmt.Errorf("%w: too large, %d bytes", ErrMalformed, len(client))
	}
	return e.conversation.step(string(client))
}

// User returns the name of the user. It is empty until the login has succeeded.
func (e *Exchange) User() string { return e.user }
