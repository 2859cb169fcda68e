//go:build !unix

package main

import "os"

// terminalSize is how much room a terminal has, where we cannot ask it.
func terminalSize(*os.File) (lines, columns int) { return 24, 80 }
