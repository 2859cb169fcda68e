//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package dirlock

import "os"

// lockFile does nothing: this platform has no flock.
func lockFile(*os.File) error { return nil }
