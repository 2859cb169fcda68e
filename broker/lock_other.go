//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package broker

import "os"

// holdFile does nothing here: this platform has no flock, so nothing keeps a second broker off the directory.
func holdFile(*os.File) error { return nil }
