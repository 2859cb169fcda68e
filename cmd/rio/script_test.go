package main

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rio": main})
}

// TestScripts runs testdata/script/*.txtar, each with its own broker at the address $RIO_BROKERS. $FREE is an unused
// address, and $ROOT the root directory of the module. Additional commands:
//
//	exits CODE COMMAND...       runs a command that must end with this exit code
//	await GROUP PARTITIONS      waits until the group is stable and its only member has these partitions
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			b, err := broker.Start(broker.Config{})
			if err != nil {
				return err
			}
			env.Defer(func() { b.Close() })
			free, err := freeAddress()
			if err != nil {
				return err
			}
			env.Setenv("RIO_BROKERS", b.Addr())
			env.Setenv("FREE", free)
			env.Setenv("ROOT", root)
			return keepGo(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "await": await},
	})
}

// keepGo lets the go command of a script use the same caches and proxy as this test.
func keepGo(env *testscript.Env) error {
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOPATH", "GOTOOLCHAIN"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		env.Setenv(name, string(value[:len(value)-1]))
	}
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await GROUP PARTITIONS")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client, err := kafka.Dial(ctx, kafka.Config{Brokers: []string{ts.Getenv("RIO_BROKERS")}})
	ts.Check(err)
	defer client.Close()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		group, err := client.DescribeGroup(ctx, args[0])
		ts.Check(err)
		if group.State == "Stable" && len(group.Members) == 1 && listed(group.Members[0].Partitions) == args[1] {
			return
		}
		<-look.C
	}
}

func TestDoubleDashes(t *testing.T) {
	for _, test := range []struct{ args, want []string }{
		{[]string{"broker", "-data", "d", "-listen=:1"}, []string{"broker", "--data", "d", "--listen=:1"}},
		{[]string{"consume", "t", "--from-beginning", "-exit-at-end"}, []string{"consume", "t", "--from-beginning", "--exit-at-end"}},
		{[]string{"topics", "list", "-h", "-help"}, []string{"topics", "list", "-h", "--help"}},
		{[]string{"groups", "reset", "g", "-to", "-1"}, []string{"groups", "reset", "g", "--to", "-1"}},
		{[]string{"plan", ".", "--", "-format", "x"}, []string{"plan", ".", "--", "-format", "x"}},
		{[]string{"produce", "-", "-unknown"}, []string{"produce", "-", "-unknown"}},
	} {
		if got := doubleDashes(newRoot(), test.args); !slices.Equal(got, test.want) {
			t.Errorf("%q became %q, want %q", test.args, got, test.want)
		}
	}
}
