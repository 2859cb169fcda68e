package sasl

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/xdg-go/scram"
)

// Librdkafka before 2.6.1, which is in kcat of Debian 12 and in many other programs, repeats its nonce in the second
// message:
//
//	client  n,,n=name,r=nonce
//	server  r=nonce+more,s=salt,i=iterations
//	client  c=biws,r=nonce+nonce+more,p=proof
//
// RFC 5802 requires the server to refuse a nonce other than its own. Apache Kafka accepts one that ends with the
// server's since 3.8.1 and 3.9; earlier versions do not check it, and 4.0 refuses it. We accept exactly this one. It
// weakens nothing: the check guards against replays, but the proof is computed over the server's message, too, and is
// valid for this conversation's nonce only.

// repeatedFinal is a second message with a repeated nonce.
type repeatedFinal struct {
	withoutProof string
	proof        []byte
}

// splitFirst splits a client's valid first message into the header and the rest.
func splitFirst(message string) (header, bare string) {
	fields := strings.SplitAfterN(message, ",", 3)
	return fields[0] + fields[1], fields[2]
}

// parseRepeated parses the second message of a client that repeats its nonce; ok is false for any other message.
func (c *scramConversation) parseRepeated(message string) (_ repeatedFinal, ok bool) {
	if c.challenge == "" {
		return repeatedFinal{}, false // this is the first message
	}
	header, bare := splitFirst(c.first)
	_, nonce, _ := strings.Cut(bare, ",r=")
	nonce, _, _ = strings.Cut(nonce, ",")
	both, _, _ := strings.Cut(strings.TrimPrefix(c.challenge, "r="), ",")

	withoutProof := "c=" + base64.StdEncoding.EncodeToString([]byte(header)) + ",r=" + nonce + both
	encoded, ok := strings.CutPrefix(message, withoutProof+",p=")
	if !ok {
		return repeatedFinal{}, false
	}
	proof, err := base64.StdEncoding.DecodeString(encoded)
	return repeatedFinal{withoutProof, proof}, err == nil
}

// finish checks the proof according to RFC 5802, section 3, and returns the last answer.
func (c *scramConversation) finish(message repeatedFinal) (answer string, err error) {
	credentials, err := c.users.credentials(c.Username())
	if err != nil {
		return "", scramFault(scram.ErrUnknownUser, err)
	}
	_, bare := splitFirst(c.first)
	sign := func(key []byte) []byte {
		mac := hmac.New(c.users.hash, key)
		mac.Write([]byte(bare + "," + c.challenge + "," + message.withoutProof))
		return mac.Sum(nil)
	}
	signature := sign(credentials.StoredKey)
	if len(message.proof) != len(signature) {
		return "", ErrMalformed
	}
	clientKey := make([]byte, len(signature))
	subtle.XORBytes(clientKey, message.proof, signature)
	stored := c.users.hash()
	stored.Write(clientKey)
	if !hmac.Equal(stored.Sum(nil), credentials.StoredKey) {
		return "", ErrRefused
	}
	return "v=" + base64.StdEncoding.EncodeToString(sign(credentials.ServerKey)), nil
}
