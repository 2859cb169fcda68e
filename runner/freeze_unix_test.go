//go:build unix

package runner_test

import "syscall"

// Signals that stop and continue a process.
const freeze, thaw = syscall.SIGSTOP, syscall.SIGCONT
