package sasl

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/xdg-go/scram"
)

// iterations make each guess at a password as expensive; fewer than these are refused by Kafka's clients.
const iterations = 4096

func newScramSHA256(passwords map[string]string) func() conversation {
	return newScram(scram.SHA256, passwords, keyedDigest(newKey(sha256.Size))).begin
}

func newScramSHA512(passwords map[string]string) func() conversation {
	return newScram(scram.SHA512, passwords, keyedDigest(newKey(sha256.Size))).begin
}

// scramUsers are the users as SCRAM with one hash needs them. Salts are a keyed digest of the name: each user has an own one
// that is stable and unforeseeable, and so has a name that does not exist.
type scramUsers struct {
	server *scram.Server
	hash   scram.HashGeneratorFcn
	salt   func(user string) []byte
	known  func() (map[string]scram.StoredCredentials, error)
	decoy  []byte // the key of unknown users, which no password leads to
}

func newScram(hash scram.HashGeneratorFcn, passwords map[string]string, salt func(user string) []byte) *scramUsers {
	s := &scramUsers{hash: hash, salt: salt, decoy: newKey(hash().Size())}
	// All users at once: whoever waits for it, the time does not tell whether the name asked for is among them.
	s.known = sync.OnceValues(func() (map[string]scram.StoredCredentials, error) { return s.derive(passwords) })
	s.server, _ = hash.NewServer(s.credentials) // never fails
	return s
}

// derive computes what SCRAM stores instead of the passwords.
func (s *scramUsers) derive(passwords map[string]string) (map[string]scram.StoredCredentials, error) {
	known := make(map[string]scram.StoredCredentials, len(passwords))
	for user, password := range passwords {
		client, err := s.hash.NewClientUnprepped(user, password, "")
		if err != nil {
			return nil, fmt.Errorf("user %q: %w", user, err)
		}
		if known[user], err = client.GetStoredCredentialsWithError(s.factors(user)); err != nil {
			return nil, fmt.Errorf("user %q: %w", user, err)
		}
	}
	return known, nil
}

func (s *scramUsers) factors(user string) scram.KeyFactors {
	return scram.KeyFactors{Salt: string(s.salt(user)), Iters: iterations}
}

// credentials are what the user's proof is checked against.
func (s *scramUsers) credentials(user string) (scram.StoredCredentials, error) {
	known, err := s.known()
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	credentials, ok := known[user]
	if !ok {
		credentials.StoredKey, credentials.ServerKey = s.decoy, s.decoy
	}
	credentials.KeyFactors = s.factors(user)
	return credentials, nil
}

func (s *scramUsers) begin() conversation {
	return &scramConversation{ServerConversation: s.server.NewConversation(), users: s}
}

// scramConversation is a login by two messages of the client and two answers (RFC 5802, without channel binding):
//
//	client  n,[a=act as],n=name,r=nonce
//	server  r=nonce+more,s=salt,i=iterations
//	client  c=first two fields,r=nonce+more,p=proof
//	server  v=signature
type scramConversation struct {
	*scram.ServerConversation
	users            *scramUsers
	first, challenge string // the client's first message and its answer
}

func (c *scramConversation) step(client string) (answer, user string, err error) {
	if repeated, ok := c.parseRepeated(client); ok {
		answer, err = c.finish(repeated)
	} else if answer, err = c.Step(client); err != nil {
		err = scramFault(answer, err)
	}
	switch {
	case err != nil:
		return "", "", err
	case !mayAct(c.Username(), c.AuthzID()):
		return "", "", ErrRefused
	case c.challenge != "":
		return answer, c.Username(), nil
	}
	c.first, c.challenge = client, answer
	return answer, "", nil
}

// scramFault sorts an error by what RFC 5802 would answer. The words of an error that quotes the client are left out: they
// may be as long as the client likes.
func scramFault(answer string, err error) error {
	switch answer {
	case scram.ErrInvalidProof:
		return ErrRefused
	case scram.ErrUnknownUser: // credentials failed, for all alike
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return ErrMalformed
}
