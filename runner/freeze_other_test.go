//go:build !unix

package runner_test

import "syscall"

// This system has no such signals. Equal values mean that.
const freeze, thaw = syscall.Signal(0), syscall.Signal(0)
