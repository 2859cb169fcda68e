package sasl

import (
	"errors"
	"fmt"
)

var (
	// ErrMechanism: the mechanism is none of Mechanisms.
	ErrMechanism = errors.New("unknown mechanism")
	// ErrRefused: the name is unknown or the password is wrong; which of them is not told. Or the client asked to act as
	// somebody else than it logs in as.
	ErrRefused = errors.New("wrong user or password")
	// ErrMalformed: the message is not what the mechanism wants to hear at this point.
	ErrMalformed = errors.New("malformed message")
)

// maxMessage is the largest message in bytes, Kafka's sasl.server.max.receive.size: a stranger shall not make us work.
const maxMessage = 512 << 10

// Exchange is one login.
type Exchange struct {
	mechanism    string
	conversation conversation
	over         bool // logged in, or an error was returned
	user         string
}

// conversation is one login by one mechanism. step is called until it returns a user or an error.
type conversation interface {
	step(client string) (answer, user string, err error)
}

// Step takes what the client says and returns what to answer. When done is true, the client is logged in as User and gets
// that last answer. An error, ErrRefused or ErrMalformed, ends the exchange without an answer of the mechanism's own; so does
// a message after the last, which leaves User as it was.
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
		return "", "", fmt.Errorf("%w: %d bytes are too many", ErrMalformed, len(client))
	}
	return e.conversation.step(string(client))
}

// User is the name of the user who has logged in, "" before.
func (e *Exchange) User() string { return e.user }
