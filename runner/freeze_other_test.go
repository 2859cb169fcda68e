//go:build !unix

package runner_test

import "syscall"

// Signals that stop and continue a process. This system has none, so both are the same.
const freeze, thaw = syscall.Signal(0), syscall.Signal(0)
