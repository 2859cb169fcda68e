//go:build unix

package runner_test

import "syscall"

// The signals that stop a process and let it continue.
const freeze, thaw = syscall.SIGSTOP, syscall.SIGCONT
