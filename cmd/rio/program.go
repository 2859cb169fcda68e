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

// askProgram runs a package with a variable that makes its runner.Run do something else than run its topology, and returns
// what that wrote to the file that fileVariable names. That the program then ends with an error is as it should be, and what
// it prints is of no interest, unless it has written nothing.
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
		return nil, errors.New("the go command is needed to run the program, and was not found: install Go, or put it into PATH")
	case failure != nil:
		return nil, fmt.Errorf("go run %s: %w: %s", args[0], failure, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil, fmt.Errorf("%s ended without calling runner.Run or runner.Start, so it has no topology", args[0])
}
