package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
)

// plainConversation is a login with a single message (RFC 4616) and an empty answer:
//
//	[act as] 0 name 0 password
type plainConversation struct {
	digests map[string][]byte // of the passwords, by user
	decoy   []byte            // compared with the password of an unknown user
	digest  func(string) []byte
}

// separator is the zero byte between the fields.
const separator = "\x00"

func newPlain(passwords map[string]string) func() conversation {
	p := plainConversation{digests: make(map[string][]byte), decoy: newKey(sha256.Size), digest: keyedDigest(newKey(sha256.Size))}
	for user, password := range passwords {
		p.digests[user] = p.digest(password)
	}
	return func() conversation { return p }
}

// step compares digests, because comparing passwords would reveal their length by the time it takes.
func (p plainConversation) step(client string) (answer, user string, err error) {
	fields := strings.Split(client, separator)
	if len(fields) != 3 {
		return "", "", fmt.Errorf("%w: %d fields, want act-as, name and password", ErrMalformed, len(fields))
	}
	actAs, user, password := fields[0], fields[1], fields[2]
	want, known := p.digests[user]
	if !known {
		want = p.decoy
	}
	right := hmac.Equal(p.digest(password), want)
	if !right || !known || !mayAct(user, actAs) {
		return "", "", ErrRefused
	}
	return "", user, nil
}

// mayAct reports whether the user may act under that name; "" means the user's own. Nobody may act as another user.
func mayAct(user, actAs string) bool { return actAs == "" || actAs == user }

// newKey returns size random bytes.
func newKey(size int) []byte {
	key := make([]byte, size)
	rand.Read(key) // never fails
	return key
}

// keyedDigest returns a function that always maps the same text to the same digest. Without the key, digests can be
// neither predicted nor inverted.
func keyedDigest(key []byte) func(text string) []byte {
	return func(text string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
}
