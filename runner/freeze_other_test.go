//go:build !unix

package runner_test

import "syscall"

// Equal: this system has no such signals.
const freeze, thaw = syscall.Signal(0), syscall.Signal(0)
