package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// askProgram runs a package with an environment variable set that makes its runner.Run do something other than run its
// topology, and returns what that wrote to the file named by fileVariable. The program then ends with an error, which
// is expected; its error and output only matter if it has written nothing.
func askProgram(ctx context.Context, args []string, variable, value, fileVariable string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "rio-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "answer")

	program := exec.CommandContext(ctx, "go", append([]string{"run"}, args...)...)
	program.Env = append(os.Environ(), variable+"="+value, fileVariable+"="+file)
	var stderr bytes.Buffer
	program.Stderr = &stderr
	failure := program.Run()

	answer, err := os.ReadFile(file)
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(failure, exec.ErrNotFound):
		return nil, errors.New("the go command, which runs the program, was not found: install Go, or add it to PATH")
	case failure != nil:
		return nil, fmt.Errorf("go run %s: %w: %s", args[0], failure, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil, fmt.Errorf("%s ended without calling runner.Run or runner.Start, so it has no topology", args[0])
}
