//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package dirlock

import "os"

// hold does nothing here: this platform has no flock.
func hold(*os.File) error { return nil }
