package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const (
	exitFailure = 1
	exitUsage   = 2
)

// run runs one command and returns the exit code of the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	working := false // whether the command line is valid
	root.PersistentPreRun = func(*cobra.Command, []string) { working = true }
	root.SetArgs(doubleDashes(root, args))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)

	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "rio:", err)
	var wrong usageError
	if working && !errors.As(err, &wrong) {
		return exitFailure
	}
	fmt.Fprintf(stderr, "See: %s --help\n", cmd.CommandPath())
	return exitUsage
}

// A usageError is a mistake on the command line that is found only when the command runs.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
