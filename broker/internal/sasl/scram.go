package sasl

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/xdg-go/scram"
)

// iterations is the cost of each guess at a password. Kafka's clients refuse fewer.
const iterations = 4096

func newScramSHA256(passwords map[string]string) func() conversation {
	return newScram(scram.SHA256, passwords, keyedDigest(newKey(sha256.Size))).begin
}

func newScramSHA512(passwords map[string]string) func() conversation {
	return newScram(scram.SHA512, passwords, keyedDigest(newKey(sha256.Size))).begin
}

// scramUsers holds the users' credentials for SCRAM with one hash. A salt is a keyed digest of the name: stable and
// unpredictable for every name, whether it exists or not.
type scramUsers struct {
	server *scram.Server
	hash   scram.HashGeneratorFcn
	salt   func(user string) []byte
	known  func() (map[string]scram.StoredCredentials, error)
	decoy  []byte // the key of unknown users, derived from no password
}

func newScram(hash scram.HashGeneratorFcn, passwords map[string]string, salt func(user string) []byte) *scramUsers {
	s := &scramUsers{hash: hash, salt: salt, decoy: newKey(hash().Size())}
	// Derive all users at once, so that the time does not reveal whether the requested user exists.
	s.known = sync.OnceValues(func() (map[string]scram.StoredCredentials, error) { return s.derive(passwords) })
	s.server, _ = hash.NewServer(s.credentials) // never fails
	return s
}

// derive computes what SCRAM stores in place of the passwords.
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

// credentials returns what the user's proof is checked against.
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

// scramConversation is a login with two messages of the client and two answers (RFC 5802, without channel binding):
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

// scramFault classifies an error according to the answer that RFC 5802 prescribes. It drops the text of errors that
// quote the client, because that text may be arbitrarily long.
func scramFault(answer string, err error) error {
	switch answer {
	case scram.ErrInvalidProof:
		return ErrRefused
	case scram.ErrUnknownUser: // deriving the credentials failed, for all users
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return ErrMalformed
}
