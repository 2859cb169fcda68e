package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

// kcat contains the messages that kcat 1.7.1 of Debian 12, with librdkafka 2.0.2, sent as user with the password
// pencil.
var kcat = []struct {
	name                            string
	hash                            scram.HashGeneratorFcn
	salt, nonce                     string
	first, challenge, final, answer string
}{
	{
		"SCRAM-SHA-256", scram.SHA256, "rNb8ZNlxjFv5/zI7x7dWx1jxQjk+YfvLHmn00UHvPgQ=", "PLDvzxA4fmNNVnllvr4ms+FMHzrrcYmj",
		"n,,n=user,r=4gNs_mt/k<1aNm5eUt[lt19luTA-usy-",
		"r=4gNs_mt/k<1aNm5eUt[lt19luTA-usy-PLDvzxA4fmNNVnllvr4ms+FMHzrrcYmj,s=rNb8ZNlxjFv5/zI7x7dWx1jxQjk+YfvLHmn00UHvPgQ=,i=4096",
		"c=biws,r=4gNs_mt/k<1aNm5eUt[lt19luTA-usy-4gNs_mt/k<1aNm5eUt[lt19luTA-usy-PLDvzxA4fmNNVnllvr4ms+FMHzrrcYmj," +
			"p=jGD2lipwSFVIpOSwXaCvF8VQnxseXVZ1BM2HyOCpfF0=",
		"v=7Ksgaumm91RFDUUv0zxvDARXemc6HdUOM3K0yIc4xB8=",
	},
	{
		"SCRAM-SHA-512", scram.SHA512, "Prb1vgh4nj2I1efXh1bbOPDns06CzNhYcJbZAhwJg9M=", "Fb1nueGsUz82DIVSA25AGzkK5TLtNVoy",
		`n,,n=user,r=WwYFxPn\oF@{jd@jJu5BACwv5ZA?xx8J`,
		`r=WwYFxPn\oF@{jd@jJu5BACwv5ZA?xx8JFb1nueGsUz82DIVSA25AGzkK5TLtNVoy,s=Prb1vgh4nj2I1efXh1bbOPDns06CzNhYcJbZAhwJg9M=,i=4096`,
		`c=biws,r=WwYFxPn\oF@{jd@jJu5BACwv5ZA?xx8JWwYFxPn\oF@{jd@jJu5BACwv5ZA?xx8JFb1nueGsUz82DIVSA25AGzkK5TLtNVoy,` +
			"p=4rtESCl/QpWd5PhWo4vtXZo1DGL/ICgGqWnwE0wxmK7rPQy9StWsfnlLhrsSgIpNclfidZfmF38vLW/y3Y29MQ==",
		"v=icQKYLg4x3/DP2FIFFn6NN/Vc0ieHjLN/kpC2HJAgM8xvun9ODTWrOI6lYNQvwd/36sJpsOlyUw0nQ+WWwTdFg==",
	},
}

// repeating simulates the server in exchange number i up to its challenge. more is appended to the nonce.
func repeating(t *testing.T, i int, password, more string) *Exchange {
	t.Helper()
	k := kcat[i]
	salt, err := base64.StdEncoding.DecodeString(k.salt)
	must(t, err)
	users := newScram(k.hash, map[string]string{"user": password}, func(string) []byte { return salt })
	users.server.WithNonceGenerator(func() string { return more })
	exchange := &Exchange{mechanism: k.name, conversation: users.begin()}
	answer, done, err := exchange.Step([]byte(k.first))
	if want := strings.Replace(k.challenge, k.nonce, more, 1); err != nil || done || string(answer) != want {
		t.Fatalf("to %s: %s, %t, %v; want %s", k.first, answer, done, err, want)
	}
	return exchange
}

func TestANonceThatIsRepeatedIsAccepted(t *testing.T) {
	for i, k := range kcat {
		exchange := repeating(t, i, "pencil", k.nonce)
		answer, done, err := exchange.Step([]byte(k.final))
		if err != nil || !done || string(answer) != k.answer || exchange.User() != "user" {
			t.Errorf("%s: %s, %t, %v, logged in as %q; want %s", k.name, answer, done, err, exchange.User(), k.answer)
		}
	}
}

func TestARepeatedNonceProvesNothing(t *testing.T) {
	for i, k := range kcat {
		nonce := strings.TrimPrefix(k.first, "n,,n=user,r=")
		swapped := strings.Replace(k.final, k.nonce, "something else", 1)
		thrice := strings.Replace(k.final, nonce, nonce+nonce, 1)
		for what, test := range map[string]struct {
			password, more, final string
			want                  error
		}{
			"a wrong password":           {"pen", k.nonce, k.final, ErrRefused},
			"a proof that was overheard": {"pencil", "something else", k.final, ErrMalformed},
			"the same with our nonce":    {"pencil", "something else", swapped, ErrRefused},
			"repeated twice":             {"pencil", k.nonce, thrice, ErrMalformed},
			"a proof that is too short":  {"pencil", k.nonce, k.final[:strings.Index(k.final, ",p=")] + ",p=AAAA", ErrMalformed},
			"no proof":                   {"pencil", k.nonce, k.final[:strings.Index(k.final, ",p=")], ErrMalformed},
			"another channel":            {"pencil", k.nonce, strings.Replace(k.final, "biws", "eSws", 1), ErrMalformed},
		} {
			exchange := repeating(t, i, test.password, test.more)
			if _, done, err := exchange.Step([]byte(test.final)); done || !errors.Is(err, test.want) || exchange.User() != "" {
				t.Errorf("%s, %s: %t, %v, logged in as %q; want %v", k.name, what, done, err, exchange.User(), test.want)
			}
		}
	}
}
