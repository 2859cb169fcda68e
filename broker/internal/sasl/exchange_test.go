package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

// says sends a client's messages. It returns the error of the last one.
func says(t testing.TB, users *Users, mechanism string, messages ...string) (*Exchange, error) {
	t.Helper()
	exchange, err := users.Begin(mechanism)
	must(t, err)
	for i, message := range messages {
		_, done, err := exchange.Step([]byte(message))
		if last := i == len(messages)-1; last || err != nil || done {
			if !last {
				t.Fatalf("%s: ended after %q: done %t, %v", mechanism, message, done, err)
			}
			return exchange, err
		}
	}
	return exchange, nil
}

// The exchanges of RFC 5802, section 5, and of RFC 7677, section 3. There is none for SHA-512.
func TestScramVectors(t *testing.T) {
	for _, vector := range []struct {
		hash               scram.HashGeneratorFcn
		salt, nonce        string
		first, challenge   string
		final, lastMessage string
	}{
		{
			scram.SHA1, "QSXCR+Q6sek8bf92", "3rfcNHYJY1ZVvWVs7j",
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			scram.SHA256, "W22ZaJ0SNY7soEsUEjb6gQ==", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	} {
		salt, err := base64.StdEncoding.DecodeString(vector.salt)
		must(t, err)
		users := newScram(vector.hash, map[string]string{"user": "pencil"}, func(string) []byte { return salt })
		users.server.WithNonceGenerator(func() string { return vector.nonce })
		exchange := &Exchange{conversation: users.begin()}
		if answer, done, err := exchange.Step([]byte(vector.first)); err != nil || done || string(answer) != vector.challenge {
			t.Errorf("to %s: %s, %t, %v; want %s", vector.first, answer, done, err, vector.challenge)
		}
		if answer, done, err := exchange.Step([]byte(vector.final)); err != nil || !done || string(answer) != vector.lastMessage {
			t.Errorf("to %s: %s, %t, %v; want %s", vector.final, answer, done, err, vector.lastMessage)
		}
		if got := exchange.User(); got != "user" {
			t.Errorf("logged in as %q", got)
		}
	}
}

// challenge returns the salt and the iterations that the server sends for a user name.
func challenge(t *testing.T, users *Users, mechanism, name string) string {
	t.Helper()
	exchange, err := users.Begin(mechanism)
	must(t, err)
	answer, done, err := exchange.Step([]byte("n,,n=" + name + ",r=nonce"))
	if must(t, err); done {
		t.Fatalf("%s: %s was logged in", mechanism, name)
	}
	_, asked, _ := strings.Cut(string(answer), ",")
	return asked
}

func TestAnUnknownNameIsAskedLikeAnother(t *testing.T) {
	users, seen := someUsers(t), map[string]string{}
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for _, name := range []string{"joao", "maria", "pedro"} {
			asked := challenge(t, users, mechanism, name)
			if again := challenge(t, users, mechanism, name); again != asked {
				t.Errorf("%s: %s gets the challenge %s, then %s", mechanism, name, asked, again)
			}
			if other, ok := seen[asked]; ok {
				t.Errorf("%s: %s gets the challenge %s, the same as %s", mechanism, name, asked, other)
			}
			seen[asked] = mechanism + " " + name
			if joao := challenge(t, users, mechanism, "joao"); len(asked) != len(joao) || !strings.HasSuffix(asked, ",i=4096") {
				t.Errorf("%s: %s gets the challenge %s, joao %s", mechanism, name, asked, joao)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	const hello = "n,,n=joao,r=nonce"
	users := someUsers(t)
	for _, test := range []struct {
		mechanism string
		messages  []string
	}{
		{"PLAIN", []string{""}},
		{"PLAIN", []string{"joao\x00outra"}},
		{"PLAIN", []string{"\x00joao\x00outra\x00"}},
		{"PLAIN", []string{strings.Repeat("\x00", maxMessage+1)}},
		{"SCRAM-SHA-256", []string{""}},
		{"SCRAM-SHA-256", []string{"\x00joao\x00outra"}},
		{"SCRAM-SHA-256", []string{"n,,n=joao"}},
		{"SCRAM-SHA-256", []string{"n,,r=nonce,n=joao"}},
		{"SCRAM-SHA-256", []string{"n,,n=jo=ao,r=nonce"}},
		{"SCRAM-SHA-256", []string{"n,,m=must,n=joao,r=nonce"}},
		{"SCRAM-SHA-256", []string{"p=tls-unique,,n=joao,r=nonce"}},
		{"SCRAM-SHA-256", []string{"n,,n=joao,r=" + strings.Repeat(",", maxMessage)}},
		{"SCRAM-SHA-256", []string{hello, ""}},
		{"SCRAM-SHA-256", []string{hello, hello}},
		{"SCRAM-SHA-256", []string{hello, "c=biws,r=nonce"}},
		{"SCRAM-SHA-256", []string{hello, "c=biws,r=nonce,p=?"}},
		{"SCRAM-SHA-256", []string{hello, "c=biws,r=nonce,p=AAAA"}}, // the server's part of the nonce is missing
	} {
		exchange, err := says(t, users, test.mechanism, test.messages...)
		if !errors.Is(err, ErrMalformed) || errors.Is(err, ErrRefused) {
			t.Errorf("%s %.60q: %v", test.mechanism, test.messages, err)
		} else if len(err.Error()) > 200 || !strings.HasPrefix(err.Error(), "sasl: "+test.mechanism+": malformed message") {
			t.Errorf("%s %.60q: error %.300s", test.mechanism, test.messages, err)
		}
		if user := exchange.User(); user != "" {
			t.Errorf("%s %.60q: logged in as %q", test.mechanism, test.messages, user)
		}
	}
}

// After an error all messages are rejected, even the correct password.
func TestAnErrorEndsTheExchange(t *testing.T) {
	const right = "\x00joao\x00outra"
	for _, wrong := range []string{"", "\x00joao\x00wrong", "\x00maria\x00outra"} {
		exchange, err := says(t, someUsers(t), "PLAIN", wrong)
		if err == nil {
			t.Fatalf("%q logged in", wrong)
		}
		answer, done, err := exchange.Step([]byte(right))
		if !errors.Is(err, ErrMalformed) || done || answer != nil || exchange.User() != "" {
			t.Errorf("after %q: %q, %t, %v, logged in as %q", wrong, answer, done, err, exchange.User())
		}
	}
}

func TestALogInIsTheEnd(t *testing.T) {
	exchange, err := says(t, someUsers(t), "PLAIN", "\x00joao\x00outra")
	must(t, err)
	for range 2 {
		if _, done, err := exchange.Step([]byte("\x00" + ana + "\x00" + segredo)); !errors.Is(err, ErrMalformed) || done {
			t.Errorf("a second login: %t, %v", done, err)
		}
	}
	if got := exchange.User(); got != "joao" {
		t.Errorf("logged in as %q", got)
	}
}

// exchanged returns the messages that a client sends to log in as joao.
func exchanged(t *testing.T, users *Users, mechanism, actAs string) (messages []string) {
	t.Helper()
	hash := map[string]scram.HashGeneratorFcn{"SCRAM-SHA-256": scram.SHA256, "SCRAM-SHA-512": scram.SHA512}[mechanism]
	client, err := hash.NewClientUnprepped("joao", "outra", actAs)
	must(t, err)
	conversation := client.NewConversation()
	exchange, err := users.Begin(mechanism)
	must(t, err)
	for answer, done := []byte(nil), false; !done; {
		message, err := conversation.Step(string(answer))
		must(t, err)
		messages = append(messages, message)
		answer, done, err = exchange.Step([]byte(message))
		must(t, err)
	}
	if exchange.User() != "joao" {
		t.Errorf("%s: logged in as %q", mechanism, exchange.User())
	}
	return messages
}

// An attacker cannot replay the messages of a login, because the server's part of the nonce is new.
func TestReplay(t *testing.T) {
	users := someUsers(t)
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		again, err := says(t, users, mechanism, exchanged(t, users, mechanism, "")...)
		if !errors.Is(err, ErrMalformed) || again.User() != "" {
			t.Errorf("%s: replayed messages: %v, logged in as %q", mechanism, err, again.User())
		}
	}
}

func TestActingAsOneself(t *testing.T) {
	users := someUsers(t)
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		if messages := exchanged(t, users, mechanism, "joao"); !strings.HasPrefix(messages[0], "n,a=joao,n=joao,") {
			t.Errorf("%s: the client did not request it: %s", mechanism, messages[0])
		}
	}
	exchange, err := says(t, users, "PLAIN", "joao\x00joao\x00outra")
	if err != nil || exchange.User() != "joao" {
		t.Errorf("PLAIN: logged in as %q, %v", exchange.User(), err)
	}
}

// No two messages log in, except PLAIN messages with a password from the corpus. NONCE stands for the nonce in the
// server's response.
func FuzzStep(f *testing.F) {
	users := someUsers(f)
	f.Add("PLAIN", "\x00joao\x00outra", "")
	f.Add("PLAIN", "\x00joao\x00wrong", "again")
	f.Add("SCRAM-SHA-256", "n,,n=joao,r=nonce", "c=biws,NONCE,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
	f.Add("SCRAM-SHA-256", "n,a=joao,n=maria,r=", "c=bixhPWpvYW8s,NONCE,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
	f.Add("SCRAM-SHA-512", "y,,n=joao=2C,r=nonce,tokenauth=true", "c=eSws,NONCE,ext=1,p=")
	f.Fuzz(func(t *testing.T, mechanism, first, second string) {
		exchange, err := users.Begin(mechanism)
		if err != nil {
			return
		}
		nonce := ""
		for _, message := range []string{first, second} {
			answer, done, err := exchange.Step([]byte(strings.ReplaceAll(message, "NONCE", nonce)))
			nonce, _, _ = strings.Cut(string(answer), ",")
			if err != nil && (done || answer != nil || errors.Is(err, ErrRefused) == errors.Is(err, ErrMalformed)) {
				t.Errorf("to %q: %q, %t, %v", message, answer, done, err)
			}
			if done && (mechanism != "PLAIN" || !strings.HasSuffix(first, "\x00"+exchange.User()+"\x00"+passwordOf(exchange.User()))) {
				t.Errorf("%s: %q, %q logged in as %q", mechanism, first, second, exchange.User())
			}
		}
	})
}

func passwordOf(user string) string { return map[string]string{ana: segredo, "joao": "outra"}[user] }
