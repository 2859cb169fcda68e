package sasl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Characters that a mechanism must escape, and some non-ASCII ones.
const ana, segredo = "ana=1,são paulo", "pão, de=queijo"

func someUsers(t testing.TB) *Users {
	t.Helper()
	users, err := NewUsers(map[string]string{ana: segredo, "joao": "outra"})
	must(t, err)
	return users
}

// account contains the credentials of a client.
type account struct{ actAs, user, password string }

// client returns franz-go's implementation of each mechanism.
func (a account) client(mechanism string) sasl.Mechanism {
	proof := scram.Auth{Zid: a.actAs, User: a.user, Pass: a.password}
	switch mechanism {
	case "SCRAM-SHA-256":
		return proof.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return proof.AsSha512Mechanism()
	}
	return plain.Auth{Zid: a.actAs, User: a.user, Pass: a.password}.AsMechanism()
}

// logIn passes messages between the client and the server until both have finished or one fails.
func (a account) logIn(users *Users, mechanism string) (user string, err error) {
	client, message, err := a.client(mechanism).Authenticate(context.Background(), "")
	if err != nil {
		return "", err
	}
	exchange, err := users.Begin(mechanism)
	if err != nil {
		return "", err
	}
	for {
		answer, done, err := exchange.Step(message)
		if err != nil {
			return exchange.User(), err
		}
		contents, next, err := client.Challenge(answer)
		if err != nil || contents != done {
			return exchange.User(), fmt.Errorf("client done: %t, server done: %t: %w", contents, done, err)
		}
		if done {
			return exchange.User(), nil
		}
		message = next
	}
}

func TestLogIn(t *testing.T) {
	users := someUsers(t)
	for _, mechanism := range Mechanisms() {
		for _, a := range []account{
			{"", ana, segredo},
			{"", "joao", "outra"},
			{"", "joao", "outra"}, // again
		} {
			if user, err := a.logIn(users, mechanism); err != nil || user != a.user {
				t.Errorf("%s, %q: logged in as %q, %v", mechanism, a, user, err)
			}
		}
	}
}

// The error text is the same for all, because it may be sent to the client.
func TestRefused(t *testing.T) {
	users := someUsers(t)
	for _, mechanism := range Mechanisms() {
		for _, a := range []account{
			{"", ana, "outra"},         // the password of another user
			{"", "joao", "outra "},     // nearly correct
			{"", "maria", "outra"},     // unknown
			{"", "Joao", "outra"},      // unknown
			{ana, "joao", "outra"},     // acting as another
			{"joao", "maria", "outra"}, // unknown, acting as another
		} {
			user, err := a.logIn(users, mechanism)
			if want := "sasl: " + mechanism + ": wrong user or password"; !errors.Is(err, ErrRefused) || err.Error() != want {
				t.Errorf("%s, %q: %v, want %s", mechanism, a, err, want)
			}
			if user != "" {
				t.Errorf("%s, %q: logged in as %q", mechanism, a, user)
			}
		}
	}
}

func TestNobodyLogsInWithoutUsers(t *testing.T) {
	users, err := NewUsers(nil)
	must(t, err)
	for _, mechanism := range Mechanisms() {
		if _, err := (account{"", "ana", "segredo"}).logIn(users, mechanism); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
}

// For -race: the first clients use users whose passwords are not salted yet.
func TestUsersAreShared(t *testing.T) {
	users := someUsers(t)
	var clients sync.WaitGroup
	for _, mechanism := range Mechanisms() {
		for range 4 {
			clients.Go(func() {
				if user, err := (account{"", ana, segredo}).logIn(users, mechanism); err != nil || user != ana {
					t.Errorf("%s: logged in as %q, %v", mechanism, user, err)
				}
			})
		}
	}
	clients.Wait()
}

func TestMechanisms(t *testing.T) {
	if got, want := Mechanisms(), []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}; !slices.Equal(got, want) {
		t.Errorf("Mechanisms = %q, want %q", got, want)
	}
	for _, mechanism := range []string{"", "plain", "GSSAPI", "SCRAM-SHA-256-PLUS"} {
		_, err := someUsers(t).Begin(mechanism)
		if !errors.Is(err, ErrMechanism) || !strings.Contains(err.Error(), "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512") {
			t.Errorf("Begin(%q): %v", mechanism, err)
		}
	}
}

func TestMistakesAreToldAtOnce(t *testing.T) {
	_, err := NewUsers(map[string]string{"": "segredo", "ana": "", "joao\x00": "seg\x00redo", "maria": "segredo\xff", "good": "segredo"})
	want := `sasl: the name of user "" is empty
sasl: the password of user "ana" is empty
sasl: the name of user "joao\x00" contains a zero byte
sasl: the password of user "joao\x00" contains a zero byte
sasl: the password of user "maria" is not UTF-8`
	if err == nil || err.Error() != want {
		t.Errorf("NewUsers:\n%v\nwant\n%s", err, want)
	}
}

func TestPasswordsAreTakenAtOnce(t *testing.T) {
	passwords := map[string]string{"ana": "segredo"}
	users, err := NewUsers(passwords)
	must(t, err)
	passwords["ana"] = "changed"
	for _, mechanism := range Mechanisms() {
		if _, err := (account{"", "ana", "segredo"}).logIn(users, mechanism); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
}

func TestPrintedUsersHideThePasswords(t *testing.T) {
	users := someUsers(t)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, users); strings.Contains(s, segredo) {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
