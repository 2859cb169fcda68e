package kafka

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// scram is the client side of one SCRAM exchange (RFC 5802, without channel binding), in the form of sarama's
// SCRAMClient:
//
//	client  n,,n=user,r=nonce
//	server  r=nonce+more,s=salt,i=iterations
//	client  c=biws,r=nonce+more,p=proof
//	server  v=signature
type scram struct {
	hash     func() hash.Hash
	user     string
	password string
	nonce    string // the client's
	first    string // client-first-message-bare
	step     int
	server   []byte // the signature that proves that the server knows the password
}

func newScram(mechanism string) *scram {
	s := &scram{hash: sha256.New, nonce: rand.Text()}
	if strings.HasSuffix(mechanism, "512") {
		s.hash = sha512.New
	}
	return s
}

func (s *scram) Begin(user, password, _ string) error {
	s.user = strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
	s.password = password
	return nil
}

// Step returns our next message, given the server's last one, which is empty at first.
func (s *scram) Step(challenge string) (string, error) {
	s.step++
	switch s.step {
	case 1:
		s.first = "n=" + s.user + ",r=" + s.nonce
		return "n,," + s.first, nil
	case 2:
		return s.prove(challenge)
	}
	return "", s.verify(challenge)
}

func (s *scram) Done() bool { return s.step >= 3 }

// prove answers the server's challenge with the proof that we know the password.
func (s *scram) prove(challenge string) (string, error) {
	fields := scramFields(challenge)
	salt, err := base64.StdEncoding.DecodeString(fields["s"])
	if err != nil {
		return "", fmt.Errorf("scram: salt: %w", err)
	}
	iterations, err := strconv.Atoi(fields["i"])
	if err != nil || iterations < 1 {
		return "", fmt.Errorf("scram: iterations %q", fields["i"])
	}
	if !strings.HasPrefix(fields["r"], s.nonce) || fields["r"] == s.nonce {
		return "", errors.New("scram: the server's nonce does not begin with ours")
	}
	salted, err := pbkdf2.Key(s.hash, s.password, salt, iterations, s.hash().Size())
	if err != nil {
		return "", fmt.Errorf("scram: %w", err)
	}
	clientKey := s.mac(salted, "Client Key")
	stored := s.hash()
	stored.Write(clientKey)

	final := "c=biws,r=" + fields["r"]
	auth := s.first + "," + challenge + "," + final
	proof := make([]byte, len(clientKey))
	subtle.XORBytes(proof, clientKey, s.mac(stored.Sum(nil), auth))
	s.server = s.mac(s.mac(salted, "Server Key"), auth)
	return final + ",p=" + base64.StdEncoding.EncodeToString(proof), nil
}

// verify checks that the server knows the password, so that an impostor is detected.
func (s *scram) verify(answer string) error {
	fields := scramFields(answer)
	if e, ok := fields["e"]; ok {
		return errors.New("scram: " + e)
	}
	signature, err := base64.StdEncoding.DecodeString(fields["v"])
	if err != nil || !hmac.Equal(signature, s.server) {
		return errors.New("scram: wrong server signature: the server does not know the password")
	}
	return nil
}

func (s *scram) mac(key []byte, text string) []byte {
	m := hmac.New(s.hash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// scramFields splits "r=…,s=…,i=…".
func scramFields(message string) map[string]string {
	fields := make(map[string]string)
	for _, field := range strings.Split(message, ",") {
		if name, value, ok := strings.Cut(field, "="); ok {
			fields[name] = value
		}
	}
	return fields
}
