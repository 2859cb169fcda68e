package sasl

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Users holds the names and passwords that may log in. Without any, every login is refused.
type Users struct {
	// by mechanism; functions, so that printing a Users reveals no secrets
	begin map[string]func() conversation
}

// mechanisms maps each mechanism to a function that prepares the users for it.
var mechanisms = map[string]func(passwords map[string]string) func() conversation{
	"PLAIN":         newPlain,
	"SCRAM-SHA-256": newScramSHA256,
	"SCRAM-SHA-512": newScramSHA512,
}

// Mechanisms returns the names of the mechanisms, sorted.
func Mechanisms() []string { return slices.Sorted(maps.Keys(mechanisms)) }

// NewUsers returns the users for passwords by name. It reports all mistakes at once, without any password. Salting them
// for SCRAM takes milliseconds per user and is done when the first client uses the mechanism.
func NewUsers(passwords map[string]string) (*Users, error) {
	if err := check(passwords); err != nil {
		return nil, err
	}
	passwords = maps.Clone(passwords) // it is read later
	users := &Users{begin: make(map[string]func() conversation)}
	for mechanism, prepare := range mechanisms {
		users.begin[mechanism] = prepare(passwords)
	}
	return users, nil
}

// Begin starts a login with one of Mechanisms; otherwise it fails with ErrMechanism.
func (u *Users) Begin(mechanism string) (*Exchange, error) {
	begin, ok := u.begin[mechanism]
	if !ok {
		return nil, fmt.Errorf("sasl: %w %.40q; choose one of %s", ErrMechanism, mechanism, strings.Join(Mechanisms(), ", "))
	}
	return &Exchange{mechanism: mechanism, conversation: begin()}, nil
}

func check(passwords map[string]string) error {
	var mistakes []error
	for _, name := range slices.Sorted(maps.Keys(passwords)) {
		if mistake := textMistake(name); mistake != "" {
			mistakes = append(mistakes, fmt.Errorf("sasl: the name of user %q %s", name, mistake))
		}
		if mistake := textMistake(passwords[name]); mistake != "" {
			mistakes = append(mistakes, fmt.Errorf("sasl: the password of user %q %s", name, mistake))
		}
	}
	return errors.Join(mistakes...)
}

// textMistake returns why no client could send the text, or "".
func textMistake(text string) string {
	switch {
	case text == "":
		return "is empty"
	case strings.Contains(text, separator):
		return "contains a zero byte"
	case !utf8.ValidString(text):
		return "is not UTF-8"
	}
	return ""
}
